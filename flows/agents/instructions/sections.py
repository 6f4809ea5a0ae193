"""The sections of an instruction, each a text or empty."""

import json
import shlex

from flows.agents.instructions import variables
from flows.agents.instructions.situation import Situation
from flows.agents.instructions.texts import Texts
from flows.agents.instructions.variables import filled, inserted
from flows.agents.spec import Permission, Persona, Step


def execution(step: Step, situation: Situation, texts: Texts) -> str:
    lines = [texts.execution]
    if situation.folder:
        lines.append(texts.working_directory.format(folder=situation.folder))
    lines.append(texts.execution_rules)
    if situation.folder:
        lines += [texts.no_commit, texts.no_cd]
    return "\n".join([*lines, _editing(step, texts)])


def _editing(step: Step, texts: Texts) -> str:
    if step.permitted == Permission.READONLY:
        return texts.editing_off
    return texts.editing_asked if step.permitted == Permission.ASK else texts.editing_on


def workflow(step: Step, situation: Situation, texts: Texts) -> str:
    most = texts.unlimited if situation.max_steps is None else situation.max_steps
    lines = [
        texts.workflow,
        texts.iteration.format(iteration=situation.iteration, max_steps=most),
        texts.step_iteration.format(step_iteration=situation.step_iteration),
        texts.step.format(step=step.name),
    ]
    if step.persona_name:
        lines.append(texts.role.format(role=step.persona_name))
    if step.reports:
        lines.append(texts.report_directory.format(report_dir=situation.report_dir or texts.report_place))
        lines += [texts.report_file.format(name=report.name) for report in step.reports]
    return "\n".join(lines)


def request(step: Step, situation: Situation, texts: Texts) -> str:
    if not situation.task or variables.has(step.instruction, "task"):
        return ""
    return f"{texts.request}\n{inserted(situation.task)}"


def previous(step: Step, situation: Situation, texts: Texts) -> str:
    if not step.pass_previous_response or not situation.previous:
        return ""
    if variables.has(step.instruction, "previous_response"):
        return ""
    return f"{texts.previous}\n{inserted(situation.previous)}"


def inputs(step: Step, situation: Situation, texts: Texts) -> str:
    if not situation.user_inputs or variables.has(step.instruction, "user_inputs"):
        return ""
    return f"{texts.inputs}\n{inserted(chr(10).join(situation.user_inputs))}"


def reports(step: Step, persona: Persona, situation: Situation, texts: Texts) -> str:
    if not step.reports:
        return ""
    rule = texts.report_by_tool if persona.agent == "llm" else texts.report_by_answer
    lines = [texts.reports]
    for report in step.reports:
        label = f" ({report.label})" if report.label and report.label != report.name else ""
        lines.append(filled(report.order, situation, texts) or rule.format(name=report.name, label=label))
    for report in step.reports:
        if report.format:
            told = filled(report.format, situation, texts).strip()
            lines.append(f"\n{texts.report_format.format(name=report.name)}\n{told}")
    return "\n".join(lines)


def instructions(step: Step, situation: Situation, texts: Texts) -> str:
    return f"{texts.instructions}\n{filled(step.instruction, situation, texts).strip()}"


def gates(step: Step, situation: Situation, texts: Texts) -> str:
    lines = [
        texts.gate_command.format(command=shlex.join(gate.command))
        if gate.command
        else f"- {filled(gate.text, situation, texts).strip()}"
        for gate in step.quality_gates
    ]
    return "\n".join([texts.gates, *lines]) if lines else ""


def structured(step: Step, texts: Texts) -> str:
    if step.output_schema is None:
        return ""
    schema = json.dumps(step.output_schema, ensure_ascii=False, indent=2)
    return f"{texts.structured}\n{texts.structured_rule}\n```json\n{schema}\n```"


def blocked(texts: Texts) -> str:
    return f"{texts.blocked}\n{texts.blocked_rule}"
