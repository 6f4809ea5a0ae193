"""What goes wrong in a flow aborts its run with the contract's words, and a retry goes on from there."""

import pytest

from flows.agents import registry
from flows.agents.registry import Work, flow_function
from runs import jobs
from runs.models import RunStatus, Step
from runs.testing import run_to_end
from tests.agents.flow_runs import begin, came, ended, events

pytestmark = pytest.mark.django_db(transaction=True)

TWO = """
name: f
steps:
  - {name: a, agent: You do it., rules: [{condition: go, next: b}]}
  - {name: b, agent: You do it., rules: [{condition: done, next: COMPLETE}, {condition: stop, next: ABORT}]}
"""
PARALLEL = """
name: f
steps:
  - name: reviews
    parallel:
      - {name: style, agent: You do it., rules: [{condition: approved}, {condition: needs_fix}]}
      - {name: safety, agent: You do it., rules: [{condition: approved}, {condition: needs_fix}]}
    rules:
      - {condition: 'all("approved")', next: COMPLETE}
      - {condition: 'any("needs_fix")', next: fix}
      - {condition: 'any("error")', next: fix}
  - {name: fix, agent: You do it., rules: [{condition: fixed, next: reviews}]}
"""


def test_a_step_that_fails_aborts_the_run_and_a_retry_asks_the_agent_again() -> None:
    calls: list[int] = []

    @flow_function("flaky")
    def flaky(work: Work) -> str:
        calls.append(work.iteration)
        if len(calls) == 1:
            raise ValueError("no luck")
        return "[b:1]"

    text = TWO.replace("{name: b, agent: You do it.,", "{name: b, function: flaky,")
    try:
        told = ended(text, [{"content": "[a:1]"}])
        assert (told.told["kind"], told.told["reason"]) == ("step_error", 'Step "b" failed: no luck')
        assert told.run.error["message"].startswith('Step "b" failed: no luck. ')
        jobs.retry(told.run.id)
        told = came(run_to_end(told.run))
    finally:
        registry.forget_function("flaky")
    assert told.run.status == RunStatus.COMPLETED, told.run.error
    assert (told.path, calls) == (["a", "b"], [2, 2])
    assert told.matched == [("a", "go", "tag"), ("b", "done", "tag")]
    assert Step.objects.get(run=told.run, name="1. a").attempts == 1


def test_an_agent_that_fails_is_told_by_what_it_failed_with() -> None:
    told = ended(TWO, [{"status": "error", "error": "the vendor is down"}])
    assert told.told["kind"] == "step_error"
    assert told.told["reason"].startswith('Step "a" failed: ')
    assert "the vendor is down" in told.told["reason"]
    assert told.path == ["a"]


def test_the_target_abort_ends_the_run_and_a_retry_does_the_step_again() -> None:
    run = begin(TWO, [{"content": "[a:1]"}, {"content": "[b:2]"}, {"content": "[b:1]"}])
    told = came(run_to_end(run))
    assert (told.told["kind"], told.told["reason"]) == ("step_transition", "Workflow aborted by step transition")
    assert events(run, "flow:transition")[-1]["condition"] == "stop"
    jobs.retry(run.id)
    told = came(run_to_end(run))
    assert told.run.status == RunStatus.COMPLETED, told.run.error
    assert told.path == ["a", "b", "b"]


def test_an_answer_that_fits_no_rule_aborts_and_a_retry_asks_the_judge_again() -> None:
    judge = {"persona": "judge", "content": "none of them"}
    run = begin(TWO, [{"content": "hm"}, judge, judge | {"content": "[JUDGE:1]"}, {"content": "[b:1]"}])
    told = came(run_to_end(run))
    assert told.told["kind"] == "rule_no_match"
    assert told.told["reason"] == 'No matching rule found for step "a" (status: done)'
    jobs.retry(run.id)
    told = came(run_to_end(run))
    assert told.run.status == RunStatus.COMPLETED, told.run.error
    assert told.path == ["a", "b"]
    assert told.matched[0] == ("a", "go", "label_judge")
    assert Step.objects.filter(run=run, name__in=["1. a: label judge", "1. a: label judge again #1"]).count() == 2


def test_a_default_is_gone_to_where_no_rule_matches() -> None:
    text = TWO.replace("{name: a,", "{name: a, default: b,")
    told = ended(text, [{"content": "hm"}, {"persona": "judge", "content": "-"}, {"content": "[b:1]"}])
    assert told.run.status == RunStatus.COMPLETED, told.run.error
    assert told.matched[0] == ("a", None, "default")


def test_steps_side_by_side_are_joined_and_decided_by_what_all_of_them_matched() -> None:
    scenario = [
        {"persona": "safety", "content": "s1 [safety:2]"}, {"persona": "style", "content": "t1 [style:1]"},
        {"persona": "fix", "content": "[fix:1]"},
        {"persona": "style", "content": "t2 [style:1]"}, {"persona": "safety", "content": "s2"},
        {"persona": "judge", "content": "[JUDGE:1]"},
    ]  # fmt: skip
    told = ended(PARALLEL, scenario)
    assert told.run.status == RunStatus.COMPLETED, told.run.error
    assert told.path == ["reviews", "fix", "reviews"]
    assert told.matched == [
        ("reviews", 'any("needs_fix")', "aggregate"), ("fix", "fixed", "tag"),
        ("reviews", 'all("approved")', "aggregate"),
    ]  # fmt: skip
    assert told.run.output["content"] == "## style\nt2 [style:1]\n\n---\n\n## safety\ns2"
    subs = [
        (one["sub"], one["condition"], one["method"]) for one in events(told.run, "flow:transition") if "sub" in one
    ]
    assert subs[2:] == [("style", "approved", "tag"), ("safety", "approved", "label_judge")]


def test_one_of_several_that_fails_leaves_the_choice_to_the_rules_and_all_of_them_fail_the_step() -> None:
    broken = {"status": "error", "error": "down"}
    good = [{"persona": "style", "content": "[style:1]"}, {"persona": "fix", "content": "[fix:1]"}]
    told = ended(PARALLEL, [broken | {"persona": "safety"}, *good, broken, broken])
    assert (told.path, told.told["kind"]) == (["reviews", "fix", "reviews"], "step_error")
    assert told.matched[0] == ("reviews", 'any("error")', "aggregate")
    assert "style: " in told.told["reason"]
    assert "down" in told.told["reason"]


def test_the_same_step_again_and_again_is_a_loop() -> None:
    text = (
        "name: f\nmax_steps: infinite\nloop_detection: {max_consecutive_same_step: 2, action: %s}\nsteps:\n"
        "  - {name: a, agent: You do it., rules: [{condition: again, next: a}, {condition: done, next: COMPLETE}]}\n"
    )
    again = [{"content": "[a:1]"}] * 3
    told = ended(text % "abort", again)
    assert told.told["kind"] == "loop_detected"
    assert told.told["reason"] == 'Loop detected: step "a" ran 3 times consecutively without progress.'
    assert told.path == ["a", "a"]
    told = ended(text % "warn", [*again[:2], {"content": "[a:2]"}])
    assert told.run.status == RunStatus.COMPLETED
    assert events(told.run, "flow:loop") == [{"step": "a", "count": 3, "action": "warn"}]


def test_a_cycle_that_a_monitor_knows_is_judged() -> None:
    text = """
name: f
loop_monitors:
  - cycle: [a, b]
    threshold: 2
    judge: {rules: [{condition: it makes progress, next: a}, {condition: it does not, next: rescue}]}
steps:
  - {name: a, agent: You do it., rules: [{condition: go, next: b}]}
  - {name: b, agent: You do it., rules: [{condition: back, next: a}]}
  - {name: rescue, agent: You do it., rules: [{condition: done, next: COMPLETE}]}
"""
    turns = [{"content": "[a:1]"}, {"content": "[b:1]"}] * 2
    told = ended(text, [*turns, {"persona": "judge", "content": "[JUDGE:2]"}, {"content": "[rescue:1]"}])
    assert told.run.status == RunStatus.COMPLETED, told.run.error
    assert told.path == ["a", "b", "a", "b", "rescue"]
    (loop,) = events(told.run, "flow:loop")
    assert (loop["cycle"], loop["threshold"], loop["verdict"]) == (["a", "b"], 2, "rescue")
    assert "a → b" in loop["judge"]["prompt"]
    moved = events(told.run, "flow:transition")[3]
    assert (moved["to"], moved["instead_of"], moved["condition"]) == ("rescue", "a", "back")
