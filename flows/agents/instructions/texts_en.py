"""English."""

from typing import Final

from flows.agents.instructions.texts import Texts

ENGLISH: Final = Texts(
    policy="## Policy",
    knowledge="## Knowledge",
    execution="## Execution Context",
    working_directory="- Working Directory: {folder}",
    execution_rules="- Execution Rules:",
    no_commit="  - Do not run `git commit`. What you changed is taken as it lies there.",
    no_cd="  - Do not use `cd`. Give paths from the working directory.",
    editing_on="  - Editing is ENABLED for this step: you may change files.",
    editing_asked="  - Editing is ENABLED for this step, but people are asked about each change first.",
    editing_off="  - Editing is DISABLED for this step: change no file.",
    workflow="## Workflow Context",
    iteration="- Iteration: {iteration}/{max_steps} (workflow-wide)",
    unlimited="unlimited",
    step_iteration="- Step Iteration: {step_iteration} (how often this step has begun)",
    step="- Step: {step}",
    role="- Role: {role}",
    report_directory="- Report Directory: {report_dir}",
    report_file="- Report File: {name}",
    report_place="the artefacts of this run",
    request="## User Request",
    previous="## Previous Response",
    inputs="## Additional User Inputs",
    reports="## Reports",
    report_by_tool="- Write `{name}`{label} with the tool `write_report`, under exactly this name.",
    report_by_answer="- Your answer is kept as the report `{name}`{label}.",
    report_format="Format of `{name}`:",
    instructions="## Instructions",
    gates="## Quality Gates\nAll of this must hold before you end your work:",
    gate_command="- `{command}` must succeed. It is run after your work, and a failure comes back to you.",
    structured="## Structured Output",
    structured_rule="End your answer with one fenced block ```json that holds a value of this JSON Schema:",
    blocked="## When You Cannot Go On",
    blocked_rule=(
        "If you need information or a decision of a person first, write `[BLOCKED]` on a line of its own, and below it "
        "what you need. Then end your answer; you are asked again with what they say."
    ),
    status="## Status Output",
    status_rule="End your answer with the tag of the one condition that holds, written exactly as here:",
    status_rule_open="If one of these conditions holds, end your answer with its tag, written exactly as here:",
    table_head="| # | Condition | Tag |\n|---|-----------|-----|",
    appendix="With `{tag}` append this to your answer:",
    nothing="(not there yet)",
    everything="everything that the request is about",
)
