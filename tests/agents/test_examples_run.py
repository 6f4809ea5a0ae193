"""The example flows run as they are: with scenarios, and with the rules of the scripted provider of the start page."""

import json
from pathlib import Path
from typing import Any

import pytest

from flows.agents import catalogue, files
from runs import jobs
from runs.models import Event, Run
from tests.agents.played import begun, ended, matched, told

pytestmark = pytest.mark.django_db(transaction=True)

FOLDER = Path(__file__).parents[2] / "examples" / "flows"
LOOP = ["plan", "implement", "review"]


def test_every_file_of_the_installed_apps_is_a_flow() -> None:
    assert files.loaded().problems == ()
    assert {"announcement", "research", "review-loop"} <= {flow.name for flow in catalogue.all_flows()}


def ran(scenario: str, *answers: Any, **given: Any) -> Run:
    """The flow that the scenario's name begins with, with that scenario, to its end."""
    flow = next(name for name in ("announcement", "research", "review-loop") if scenario.startswith(name))
    entries = json.loads((FOLDER / "scenarios" / f"{scenario}.json").read_text())
    return ended(begun(flow, entries, **given), answers)


def path(run: Run) -> list[str]:
    assert run.status == "completed", run.error
    assert told(run)["path"] == run.output["path"]
    return list(run.output["path"])


def aborted(run: Run) -> str:
    assert run.status == "failed"
    assert run.error["type"] == "FlowAborted"
    return str(told(run)["kind"])


def test_straight_through() -> None:
    run = ran("review-loop-straight")
    assert path(run) == [*LOOP, "supervise"]
    assert matched(run) == [
        ("plan", "the plan can be followed", "tag"), ("implement", "the change is written", "tag"),
        ("review", 'all("approved")', "aggregate"),
        ("supervise", 'when(structured.supervise.verdict == "accept")', "when"),
    ]  # fmt: skip
    assert "shelf.py" in jobs.read_artifact(run.id, "plan.md").decode()


def test_what_needs_a_fix_is_fixed() -> None:
    run = ran("review-loop-needs-fix")
    assert path(run) == [*LOOP, "fix", "review", "supervise"]
    assert ("review", 'any("needs_fix")', "aggregate") in matched(run)
    versions = [one.version for one in jobs.artifacts(run.id) if one.name == "change.md"]
    assert max(versions) == 2


def test_a_cycle_is_found_and_judged() -> None:
    run = ran("review-loop-cycle")
    assert path(run) == [*LOOP, "fix", "review", "fix", "supervise"]
    loop = Event.objects.get(run=run, type="flow:loop").data
    assert (loop["cycle"], loop["verdict"]) == (["review", "fix"], "supervise")
    assert "[JUDGE:2]" in loop["judge"]["answer"]


def test_the_limit_is_reached_and_extended() -> None:
    run = ran("review-loop-straight", {"more": 5}, max_steps=3)
    assert path(run) == [*LOOP, "supervise"]


def test_the_limit_is_reached_and_nobody_extends_it() -> None:
    assert aborted(ran("review-loop-straight", max_steps=3)) == "iteration_limit"
    assert aborted(ran("review-loop-straight", "deny", max_steps=3)) == "iteration_limit"


def test_no_rule_matches() -> None:
    run = ran("review-loop-no-rule")
    assert aborted(run) == "rule_no_match"
    assert run.error["message"].startswith('No matching rule found for step "plan" (status: done)')


def test_a_step_fails() -> None:
    run = ran("review-loop-step-error")
    assert aborted(run) == "step_error"
    assert 'Step "implement" failed: ' in run.error["message"]
    assert "The model is overloaded." in run.error["message"]


def test_one_sub_step_fails_and_the_others_go_on() -> None:
    run = ran("review-loop-one-review-fails")
    assert path(run) == [*LOOP, "supervise"]
    assert ("review", 'any("error")', "aggregate") in matched(run)


def test_a_judge_decides_whether_notes_are_enough() -> None:
    run = ran("research-judged")
    assert path(run) == ["gather", "gather", "write", "check"]
    assert [method for step, _, method in matched(run) if step == "gather"] == ["label_judge", "ai_judge"]


def test_what_a_check_finds_is_written_again() -> None:
    run = ran("research-compared")
    assert path(run) == ["gather", "compare", "write", "check", "write", "check"]
    assert ("compare", None, "next") in matched(run)


def test_a_blocked_step_is_answered_and_goes_on() -> None:
    run = ran("announcement-blocked", {"answer": "On Monday, 7 September"}, "approve")
    assert path(run) == ["draft", "draft", "sign"]
    assert matched(run)[-1] == ("sign", "approved", "return")


def test_a_blocked_step_that_nobody_answers_ends_the_flow() -> None:
    assert aborted(ran("announcement-blocked")) == "blocked"


def test_what_is_not_signed_does_not_go_out() -> None:
    assert aborted(ran("announcement-straight", "deny")) == "step_transition"


@pytest.mark.parametrize(
    ("flow", "answers", "way"),
    [
        ("review-loop", [], [*LOOP, "fix", "review", "supervise"]),
        ("research", [], ["gather", "gather", "write", "check"]),
        ("announcement", [{"answer": "On Monday"}, "approve"], ["draft", "draft", "sign"]),
    ],
)
def test_without_a_scenario_the_scripted_provider_answers_by_rule(
    flow: str, answers: list[Any], way: list[str]
) -> None:
    run = ended(begun(flow, task="Open the reading room in autumn."), answers)
    assert path(run) == way


def test_each_scenario_is_named_in_the_readme_and_runs_here() -> None:
    readme, tests = (FOLDER / "README.md").read_text(), Path(__file__).read_text()
    for file in (FOLDER / "scenarios").glob("*.json"):
        assert f"`{file.stem}`" in readme
        assert f'"{file.stem}"' in tests
