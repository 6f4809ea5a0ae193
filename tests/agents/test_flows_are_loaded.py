"""What is written in a file becomes a flow: older keys, files, names of sections and texts alike."""

from pathlib import Path

import pytest

from flows.agents.errors import InvalidFlow
from flows.agents.graph import graph_of
from flows.agents.loader import as_document, digest_of, load
from flows.agents.spec import Flow, Permission


def test_keys_of_older_flows_are_accepted() -> None:
    flow = load(
        "name: f\nmax_iterations: 5\nsteps:\n"
        "  - name: plan\n    agent: You make plans.\n    agent_name: planner\n    instruction_template: 'Plan {task}'\n"
        "    permission_mode: acceptEdits\n    allowed_tools: [read_file]\n    pass_previous_response: false\n"
        "    provider: main\n    report: 00-plan.md\n    rules: [{condition: done, next: COMPLETE, appendix: why}]\n"
    )
    [step] = flow.steps
    assert (flow.max_steps, flow.initial_step, step.persona_name, step.instruction) == (
        5,
        "plan",
        "planner",
        "Plan {task}",
    )
    assert (step.permission, step.profile, step.allowed_tools) == (Permission.EDIT, "main", ("read_file",))
    assert flow.personas[step.persona or ""].prompt == "You make plans."
    assert [report.name for report in step.reports] == ["00-plan.md"]
    assert not step.pass_previous_response


@pytest.mark.parametrize(
    ("old", "new"),
    [("default", Permission.ASK), ("acceptEdits", Permission.EDIT), ("bypassPermissions", Permission.FULL)],
)
def test_older_permission_modes_have_a_meaning(old: str, new: Permission) -> None:
    flow = load(f"name: f\nsteps: [{{name: a, persona: some one, permission_mode: {old}}}]")
    assert flow.steps[0].permission is new


def test_texts_stand_in_sections_in_files_or_where_they_are_used(tmp_path: Path) -> None:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "coding.md").write_text("Write tests.\n")
    (tmp_path / "fix.md").write_text("Fix {task}\n")
    text = (
        "name: f\npersonas: {coder: You code.}\ninstructions: {short: Be short.}\nsteps:\n"
        "  - name: a\n    persona: coder\n    policy: coding\n    instruction: [short, fix.md, Then stop.]\n"
    )
    flow = load(text, folder=tmp_path)
    assert flow.policies == {"coding": "Write tests."}
    assert flow.steps[0].instruction == "Be short.\n\n---\n\nFix {task}\n\n---\n\nThen stop."


def test_a_flow_is_whole_in_its_document_and_known_by_its_digest() -> None:
    flow = load("name: f\nmax_steps: infinite\nsteps: [{name: a, persona: some one}]")
    again = Flow.model_validate(as_document(flow))
    assert again == flow
    assert digest_of(again) == digest_of(flow)
    assert flow.max_steps is None


def test_a_problem_names_file_line_step_and_remedy() -> None:
    with pytest.raises(InvalidFlow) as caught:
        load("name: f\npersonas: {coder: You code.}\nsteps:\n  - name: a\n    persona: codr\n", "f.yaml")
    [problem] = caught.value.problems
    assert problem.told("f.yaml") == (
        "f.yaml:5: step 'a': there is no 'codr' in personas; did you mean 'coder'? Use one of: coder."
    )


def test_a_program_has_tools_of_its_own() -> None:
    flow = (
        "name: f\nworkspace: folder\npersonas: {p: {agent: %s, %s}}\n"
        "steps: [{name: a, persona: p, allowed_tools: [Read, WebSearch, '%s']}]"
    )
    loaded = load(flow % ("command", "command: cli", "Bash(git:*)"))
    assert loaded.steps[0].allowed_tools == ("Read", "WebSearch", "Bash(git:*)")
    load(flow % ("llm", "prompt: Go.", "Bash"))
    with pytest.raises(InvalidFlow, match=r"Bash\(git"):
        load(flow % ("llm", "prompt: Go.", "Bash(git:*)"))


def test_an_agent_of_an_older_flow_may_be_a_bare_name() -> None:
    flow = load("name: f\nsteps: [{name: a, agent: planner, edit: true}]")
    assert flow.steps[0].persona == "planner"
    assert flow.personas["planner"].prompt == ""
    assert flow.steps[0].permission is Permission.EDIT


def test_one_word_is_a_text_where_no_texts_have_names() -> None:
    assert load("name: f\nsteps: [{name: a, persona: x, instruction: Go}]").steps[0].instruction == "Go"
    with pytest.raises(InvalidFlow, match="did you mean 'shortly'"):
        load("name: f\ninstructions: {shortly: Be short.}\nsteps: [{name: a, persona: x, instruction: shortl}]")


def test_a_target_of_a_sub_steps_rule_is_taken_and_has_no_effect() -> None:
    rules = "rules: [{condition: approved, next: COMPLETE}]"
    flow = load(
        f"name: f\nsteps:\n  - {{name: a, parallel: [{{name: b, persona: x, {rules}}}]}}\n  - {{name: c, persona: x}}"
    )
    assert [edge.target for edge in graph_of(flow).edges] == ["c", "COMPLETE"]
