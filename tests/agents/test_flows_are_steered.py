"""People have their say while a flow runs: the next step hears it, or the step at work is interrupted."""

import pytest

from flows.agents.starting import start
from flows.agents.stored import store
from runs import jobs
from runs.errors import InvalidInput, InvalidOption
from runs.models import RunStatus, Step
from runs.testing import crash_after, drain, run_to_end, signal
from tests.agents.flow_runs import begin, came, events

pytestmark = pytest.mark.django_db(transaction=True)

TEXT = """
name: f
interventions: interrupt
steps:
  - {name: a, persona: w, rules: [{condition: more, next: b}, {condition: done, next: COMPLETE}]}
  - {name: b, persona: w, rules: [{condition: back, next: a}]}
personas: {w: You work.}
"""


def test_a_message_interrupts_the_step_at_work_and_stands_in_its_next_instruction() -> None:
    run = begin(TEXT, [{"content": "slow", "delay_ms": 60_000}, {"content": "[a:2]"}])
    signal(run, "interrupt", {"text": "the other one"})
    told = came(run_to_end(run))
    assert told.run.status == RunStatus.COMPLETED, told.run.error
    assert told.path == ["a", "a"]
    assert [one["method"] for one in events(run, "flow:transition")] == ["interrupt", "tag"]
    assert "the other one" in Step.objects.get(run=run, name="2. a: instruction").output["instruction"]


def test_a_conversation_that_may_be_interrupted_goes_on_after_a_crash_and_is_not_recorded_whole_each_time() -> None:
    scenario = [{"content": "x" * 2000 + " [a:1]"}, {"content": "y [b:1]"}, {"content": "z [a:2]"}]
    run = begin(TEXT, scenario)
    with crash_after("2. b: interruptible", run=run):
        drain()
    told = came(run_to_end(run))
    assert told.run.status == RunStatus.COMPLETED, told.run.error
    assert told.path == ["a", "b", "a"]
    races = [Step.objects.get(run=run, name=f"{name}: interruptible").output for name in ("1. a", "2. b", "3. a")]
    said = [[message["role"] for message in race["value"][0]["said"]] for race in races]
    assert said == [["user", "assistant"]] * 3


def test_an_agent_that_fails_where_it_may_be_interrupted_is_asked_again_by_a_retry() -> None:
    run = begin(TEXT, [{"status": "error", "error": "down"}])
    told = came(run_to_end(run))
    assert told.told["kind"] == "step_error"
    assert "down" in told.told["reason"]
    for attempts in (2, 3):
        jobs.retry(run.id)
        again = came(run_to_end(run))
        assert again.told["kind"] == "step_error"
        assert Step.objects.get(run=run, name="1. a").attempts == attempts


def test_a_flow_is_started_by_its_name_like_any_job() -> None:
    store("name: stored-one\nsteps:\n  - {name: a, agent: You do it., instruction: 'Do {task}'}\n")
    for run in (jobs.start("agent-flow", {"flow": "stored-one", "task": "it"}).run, start("stored-one", "it").run):
        told = came(run_to_end(run))
        assert told.run.status == RunStatus.COMPLETED, told.run.error
        assert told.matched == [("a", None, "next")]


def test_a_run_may_spend_what_its_flow_says_however_it_is_started() -> None:
    store("name: dear\nbudget: {steps: 40}\nsteps:\n  - {name: a, agent: You do it.}\n")
    plain, tightened = jobs.start("agent-flow", {"flow": "dear"}), start("dear", budget={"steps": 30})
    for started, most in ((plain, 40), (tightened, 30)):
        state = jobs.budget_state(started.run)
        assert state is not None
        assert state.limits["steps"].hard == most
    with pytest.raises(InvalidOption, match="the job allows 40"):
        jobs.start("agent-flow", {"flow": "dear"}, budget={"steps": 41})


@pytest.mark.parametrize(
    "wrong",
    [
        {"scenario": [{"status": "odd"}]},
        {"sessions": {"w": 3}},
        {"sessions": {"w": [{"role": "king"}]}},
        {"max_steps": 0},
    ],
)
def test_an_input_that_no_run_could_use_starts_none(wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        jobs.start("agent-flow", {"flow": "stored-one", **wrong})


def test_steps_side_by_side_are_interrupted_together() -> None:
    text = """
name: f
interventions: interrupt
steps:
  - name: reviews
    parallel:
      - {name: style, agent: You do it., session_key: shared, rules: [{condition: approved}]}
      - {name: safety, agent: You do it., session_key: shared, rules: [{condition: approved}]}
    rules: [{condition: 'all("approved")', next: COMPLETE}]
"""
    slow = {"content": "x", "delay_ms": 60_000}
    run = begin(text, [slow, slow, {"content": "[style:1]"}, {"content": "[safety:1]"}])
    signal(run, "interrupt", {"text": "look at the tests only"})
    with crash_after("2. reviews: interruptible", run=run):
        drain()
    told = came(run_to_end(run))
    assert told.run.status == RunStatus.COMPLETED, told.run.error
    assert (told.path, told.run.progress["total"]) == (["reviews", "reviews"], 2)
    instruction = Step.objects.get(run=run, name="2. reviews / safety: instruction").output["instruction"]
    assert "look at the tests only" in instruction
