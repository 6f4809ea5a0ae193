"""What an agent is told: the sections of an instruction, in order, and only those that have something to say."""

from typing import Any

import pytest

from flows.agents.instructions import Situation, build
from flows.agents.spec import Flow, Gate, Permission, Persona, Report, Rule, Step

PLAN = Rule(condition="ready", next="COMPLETE")


def told(situation: Situation | None = None, flow: dict[str, Any] | None = None, **fields: Any) -> str:
    """The instruction of one step."""
    return built(situation, flow, **fields).instruction


def built(situation: Situation | None = None, flow: dict[str, Any] | None = None, **fields: Any):
    step = Step.model_validate({"name": "plan", **fields})
    made = Flow.model_validate({"name": "f", "initial_step": "plan", "steps": (step,), **(flow or {})})
    return build(made, step, None, situation or Situation(task="Add a button", iteration=1))


def titles(instruction: str) -> list[str]:
    return [line.removeprefix("## ") for line in instruction.splitlines() if line.startswith("## ")]


def test_the_sections_stand_in_their_order():
    situation = Situation(
        task="Add a button", iteration=3, step_iteration=2, max_steps=10, previous="Done.", user_inputs=["Blue"],
        folder="/srv/shop",
    )  # fmt: skip
    instruction = told(
        situation, instruction="Write a plan.", rules=[PLAN], reports=[Report(name="plan.md")],
        quality_gates=[Gate(text="It is short.")], output_schema={"type": "object"},
    )  # fmt: skip
    assert titles(instruction) == [
        "Execution Context", "Workflow Context", "User Request", "Previous Response", "Additional User Inputs",
        "Reports", "Instructions", "Quality Gates", "Structured Output", "When You Cannot Go On", "Status Output",
    ]  # fmt: skip
    assert "\n\n## Workflow Context\n- Iteration: 3/10 (workflow-wide)\n- Step Iteration: 2 " in instruction
    assert "- Step: plan\n- Report Directory: the artefacts of this run\n- Report File: plan.md\n\n" in instruction
    assert "\n\n## User Request\nAdd a button\n\n## Previous Response\nDone.\n\n" in instruction
    assert "\n\n## Additional User Inputs\nBlue\n\n" in instruction
    assert "\n\n## Instructions\nWrite a plan.\n\n" in instruction


def test_what_has_nothing_to_say_is_left_out():
    assert titles(told()) == ["Execution Context", "Workflow Context", "Instructions", "When You Cannot Go On"]
    assert "- Iteration: 1/unlimited" in told()


@pytest.mark.parametrize(
    ("placeholder", "section"),
    [("{task}", "User Request"), ("{previous_response}", "Previous Response"), ("{user_inputs}", "Additional User")],
)
def test_a_section_whose_placeholder_stands_in_the_instruction_is_not_told_twice(placeholder: str, section: str):
    situation = Situation(task="T-1", iteration=1, previous="P-1", user_inputs=["U-1", "U-2"])
    other = "{iteration}" if placeholder == "{task}" else "{task}"
    assert section in told(situation, instruction=other)
    instruction = told(situation, instruction=f"Look: {placeholder}.")
    assert section not in instruction
    value = {"{task}": "T-1", "{previous_response}": "P-1", "{user_inputs}": "U-1\nU-2"}[placeholder]
    assert f"## Instructions\nLook: {value}." in instruction


def test_a_step_may_want_no_previous_response():
    situation = Situation(task="T", iteration=2, previous="P-1")
    assert "P-1" not in told(situation, pass_previous_response=False)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"permission": Permission.READONLY}, "DISABLED"),
        ({"permission": Permission.ASK}, "people are asked about each change"),
        ({"permission": Permission.EDIT}, "ENABLED for this step: you may"),
        ({"permission": Permission.FULL, "edit": False}, "DISABLED"),
    ],
)
def test_it_says_whether_files_may_be_changed(fields: dict[str, Any], words: str):
    assert words in told(**fields)


def test_only_an_agent_with_a_folder_hears_of_it():
    with_folder = told(Situation(task="T", iteration=1, folder="/srv/{shop}"))
    assert "- Working Directory: /srv/{shop}\n" in with_folder
    assert "`git commit`" in with_folder
    assert "`git commit`" not in told()


def test_the_table_names_the_labels_by_their_numbers_over_all_rules():
    rules = [
        Rule(condition="when(structured.plan.ok)", next="COMPLETE"),
        Rule(condition="needs a | b", next="plan", appendix="List {task}."),
        Rule(condition='ai("it is unclear")', next="ABORT"),
        Rule(condition="done && when(context.iteration > 1)", next="COMPLETE"),
    ]
    section = told(rules=rules).partition("## Status Output\n")[2]
    assert section == (
        "If one of these conditions holds, end your answer with its tag, written exactly as here:\n\n"
        "| # | Condition | Tag |\n|---|-----------|-----|\n"
        "| 2 | needs a \\| b | `[PLAN:2]` |\n| 4 | done | `[PLAN:4]` |\n\n"
        "With `[PLAN:2]` append this to your answer:\nList Add a button."
    )
    assert "End your answer with the tag of the one condition that holds" in told(rules=[PLAN])


def test_an_agent_has_no_tags_where_others_decide():
    conditions = ("when(true)", 'ai("good")', 'all("approved")', 'any("needs_fix")')
    assert "Status Output" not in told(rules=[Rule(condition=one, next="COMPLETE") for one in conditions])


def test_reports_gates_and_schemas_are_told_word_for_word():
    instruction = told(
        reports=[Report(name="plan.md", label="Plan", format="# {task}"), Report(name="x.md", order="Write x first.")],
        quality_gates=[Gate(text="No {task} is left out."), Gate(command=("make", "test it"))],
        output_schema={"type": "object", "properties": {"größe": {"type": "integer"}}},
    )
    assert (
        "- Write `plan.md` (Plan) with the tool `write_report`, under exactly this name.\nWrite x first.\n"
        in instruction
    )
    assert "\nFormat of `plan.md`:\n# Add a button\n" in instruction
    assert "- No Add a button is left out.\n- `make 'test it'` must succeed." in instruction
    assert '"größe"' in instruction


def test_a_program_is_told_that_its_answer_is_the_report():
    flow = {"personas": {"cli": Persona(agent="command", command="coder")}}
    instruction = told(flow=flow, persona="cli", reports=[Report(name="plan.md")])
    assert "Your answer is kept as the report `plan.md`." in instruction


def test_the_system_prompt_is_the_persona_its_policies_and_what_it_knows():
    flow = {
        "personas": {"planner": Persona(prompt="You plan for {var:team}.\n")},
        "policies": {"short": "Be short.", "kind": "Be kind."},
        "knowledge": {"shop": "We sell {task}."},
    }
    system = built(
        Situation(task="T", iteration=1, variables={"team": "{task}"}), flow,
        persona="planner", policy=("short", "kind"), knowledge=("shop",),
    ).system  # fmt: skip
    assert system == (
        "You plan for ｛task｝.\n\n## Policy\nBe short.\n\n---\n\nBe kind.\n\n## Knowledge\nWe sell {task}."  # noqa: RUF001
    )
    assert built().system == ""


def test_a_sub_step_is_told_its_own_words():
    sub = Step(name="review", instruction="Review it.", rules=(Rule(condition="approved"),), persona_name="Critic")
    step = Step(name="reviews", parallel=(sub,))
    flow = Flow(name="f", initial_step="reviews", steps=(step,))
    instruction = build(flow, step, sub, Situation(task="T", iteration=1)).instruction
    assert "- Step: review\n- Role: Critic\n" in instruction
    assert "| 1 | approved | `[REVIEW:1]` |" in instruction


def test_it_is_told_in_japanese():
    situation = Situation(
        task="ボタンを追加", iteration=1, max_steps=5, previous="完了", user_inputs=["青"], folder="/srv"
    )
    instruction = told(
        situation, {"language": "ja"}, instruction="計画を書く。", rules=[PLAN], reports=[Report(name="plan.md")],
        quality_gates=[Gate(text="短いこと")], output_schema={"type": "object"},
    )  # fmt: skip
    assert titles(instruction) == [
        "実行コンテキスト", "ワークフローコンテキスト", "ユーザーリクエスト", "前のレスポンス",
        "追加のユーザー入力", "レポート", "指示", "品質ゲート", "構造化出力", "続行できない場合", "ステータス出力",
    ]  # fmt: skip
    assert "| 1 | ready | `[PLAN:1]` |" in instruction
    english = Situation(task="T", iteration=1, language="en")
    assert titles(told(english, {"language": "ja"}))[0] == "Execution Context"
