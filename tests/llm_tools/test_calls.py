"""Each call is a step of its own, and whatever goes wrong with one is told to the model."""

from typing import Any

import pytest

from runs.models import Attempt, Step
from tests.llm_tools.conftest import Performs, contents
from tests.llm_tools.jobs import called


def test_each_call_is_a_step_and_its_result_a_message_in_order(performs: Performs) -> None:
    run = performs(("look_up", {"word": "a"}), ("shaky", {"until": 1}), ("look_up", {"word": "a"}))
    assert [message["tool_call_id"] for message in run.output] == ["call-1", "call-2", "call-3"]
    assert contents(run)[0] == '{"word":"a","thread":"own"}'
    assert contents(run)[1] == "at attempt 1 as draft: shaky#1.2"
    assert set(Step.objects.filter(run=run).values_list("name", flat=True)) == {
        "draft: calls#1", "draft: look_up#1.1", "draft: shaky#1.2", "draft: look_up#1.3",
    }  # fmt: skip
    assert called == {"look_up": 2, "shaky": 1}


@pytest.mark.parametrize(
    ("name", "given", "told"),
    [
        ("rm -rf\n/", {}, "There is no tool 'rm -rf\\n/'. Call one of: deliver, forbidden"),
        ("look_up", {"wrod": "a"}, "The arguments do not fit look_up: word: Field required; wrod: Extra inputs"),
        ("deliver", {"address": {"street": "nowhere", "number": 1}}, "address.street: Value error, there is no such"),
        ("shaky", {"until": 9}, "shaky failed with ConnectionError: attempt 3 was cut"),
        ("sleepy", {}, "sleepy failed with StepTimeout: Step 'draft: sleepy#1.1' ran longer than its 0.05 s"),
        ("forbidden", {}, "That is not allowed. Ask for something else."),
        ("odd", {}, "The result of tool 'odd' cannot be stored: object is not JSON"),
    ],
)
def test_what_goes_wrong_is_told_to_the_model(
    performs: Performs, monkeypatch: pytest.MonkeyPatch, name: str, given: dict[str, Any], told: str
) -> None:
    monkeypatch.setattr("runs.definitions.Retry.delay_seconds", lambda *_: 0.0)
    run = performs((name, given), ("look_up", {"word": "b"}))
    assert told in contents(run)[0]
    assert [message["is_error"] for message in run.output] == [True, False]
    assert called["forbidden"] <= 1
    assert "Traceback" not in contents(run)[0]


def test_a_tool_is_tried_as_often_as_it_says(performs: Performs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runs.definitions.Retry.delay_seconds", lambda *_: 0.0)
    run = performs(("shaky", {"until": 3}))
    assert contents(run) == ["at attempt 3 as draft: shaky#1.1"]
    outcomes = Attempt.objects.filter(run=run, step_name="draft: shaky#1.1").order_by("number")
    assert list(outcomes.values_list("outcome", flat=True)) == ["failed", "failed", "completed"]


def test_a_model_that_runs_wild_is_held_back(performs: Performs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.llm.turns.AT_MOST", 2)
    told = contents(performs(*[("look_up", {"word": "a"})] * 3))
    assert told[2] == "Not called: a turn may have 2 calls. Call it again in the next one."
    assert called == {"look_up": 2}


def test_a_decorated_tool_is_called_as_what_it_wraps(performs: Performs) -> None:
    assert contents(performs(("wrapped", {"word": "a"}))) == ["a of draft: wrapped#1.1"]


def test_a_long_result_is_cut_with_a_word_about_it(performs: Performs, settings: Any) -> None:
    settings.LLM_TOOL_RESULT_CHARS = 100
    (text,) = contents(performs(("huge", {"size": 1000})))
    assert text == "a" + "b" * 74 + "\n[900 of 1000 characters are left out here]\n" + "b" * 24 + "z"


def test_text_that_no_database_takes_is_mended(performs: Performs) -> None:
    assert contents(performs(("raw", {}))) == ["nul \ufffd and half a pair ?"]


def test_a_plain_jobs_sync_tools_run_in_its_own_thread(performs: Performs) -> None:
    run = performs(("look_up", {"word": "a"}), ("shaky", {"until": 1}), job="perform-calls-in-a-thread")
    assert run.status == "completed", run.error
    assert [text[:12] for text in run.output] == ['{"word":"a",', "at attempt 1"]
