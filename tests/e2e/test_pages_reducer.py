"""What the run page makes of events: each once, in order, and frames only of the newest attempt."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route

STATIC = Path(__file__).resolve().parents[2] / "platform/perdure/dashboard/static/dashboard"
PLAY = """async ([recorded, events]) => {
  const { begin, reduce, sentence } = await import("/js/reducer.js");
  let state = begin(recorded);
  const verdicts = [];
  for (const event of events) {
    const result = reduce(state, event);
    if (Object.isFrozen(state) === false) Object.freeze(state);
    verdicts.push(result.verdict);
    state = result.state;
  }
  return { ...state, steps: Object.fromEntries(state.steps), streams: Object.fromEntries(state.streams), verdicts,
    sentence: sentence(state) };
}"""
Play = Callable[..., dict[str, Any]]


@pytest.fixture
def play(page: Page) -> Play:
    """The state after some events, computed by the page's own module in a real browser."""

    def serve(route: Route) -> None:
        path = route.request.url.split("perdure.test", 1)[1]
        if path == "/":
            route.fulfill(body="<!doctype html>", content_type="text/html")
        else:
            route.fulfill(body=(STATIC / path.lstrip("/")).read_text(), content_type="text/javascript")

    page.route("http://perdure.test/**", serve)
    page.goto("http://perdure.test/")

    def run(*events: dict[str, Any], **recorded: Any) -> dict[str, Any]:
        first = {"lastSequence": 0, "status": "running", "reason": "", "progress": None, "steps": []} | recorded
        found: dict[str, Any] = page.evaluate(PLAY, [first, list(events)])
        return found

    return run


def event(sequence: int, kind: str, /, step: str | None = None, attempt: int | None = 1, **data: Any) -> dict[str, Any]:
    at = f"2026-01-01T00:00:{sequence:02}Z"
    return {"sequence": sequence, "type": kind, "step": step, "attempt": attempt, "data": data, "created_at": at}


def frame(offset: int, data: Any, attempt: int = 1, epoch: int = 1) -> dict[str, Any]:
    return {"type": "stream", "step": "s", "attempt": attempt, "epoch": epoch, "offset": offset, "data": data}


def reset(attempt: int = 1, epoch: int = 1, **data: Any) -> dict[str, Any]:
    return {"type": "stream:reset", "step": "s", "attempt": attempt, "epoch": epoch, "data": data}


def test_a_repeated_event_is_dropped_and_a_hole_is_refused(play: Play) -> None:
    state = play(event(1, "run:queued"), event(2, "run:start"), event(1, "run:queued"), event(4, "run:complete"))
    assert state["verdicts"] == ["recorded", "recorded", "seen", "hole"]
    assert (state["lastSequence"], state["status"]) == (2, "running")


def test_events_go_on_where_the_first_paint_ended(play: Play) -> None:
    state = play(event(7, "step:start", "a"), event(8, "step:complete", "a", output=1), lastSequence=7)
    assert (state["verdicts"], state["lastSequence"]) == (["seen", "recorded"], 8)
    assert state["steps"]["a"]["status"] == "completed"


def test_a_gap_moves_on_to_the_first_event_still_held(play: Play) -> None:
    state = play({"type": "gap", "data": {"first_sequence": 40}}, event(40, "run:resume"))
    assert state["lastSequence"] == 40


def test_frames_make_one_text_and_a_repeated_one_is_dropped(play: Play) -> None:
    state = play(reset(), frame(0, "a"), frame(1, {"text": "b"}), frame(1, "b"), frame(2, {"delta": "c"}))
    assert state["streams"]["s"]["text"] == "abc"


def test_a_new_connection_begins_its_text_anew(play: Play) -> None:
    state = play(reset(), frame(0, "a"), frame(1, "b"), reset(), frame(0, "a"), frame(1, "b"), frame(2, "c"))
    assert state["streams"]["s"]["text"] == "abc"


def test_a_later_attempt_replaces_an_earlier_one_and_late_frames_are_dropped(play: Play) -> None:
    state = play(reset(), frame(0, "old "), frame(0, "new", attempt=2), frame(1, "old"), reset(attempt=1))
    assert state["streams"]["s"]["text"] == "new"
    state = play(frame(0, "old", attempt=3), frame(0, "taken over", attempt=1, epoch=2))
    assert state["streams"]["s"]["text"] == "taken over"


def test_the_recorded_result_is_the_truth_and_nothing_follows_it(play: Play) -> None:
    state = play(
        reset(), frame(0, "half"), event(1, "step:complete", "s", output="whole", frames=2), frame(1, "x"), reset()
    )
    assert (state["streams"]["s"]["text"], state["streams"]["s"]["state"]) == ("whole", "done")


def test_a_cut_head_is_marked_until_the_result_is_recorded(play: Play) -> None:
    state = play(reset(truncated=5), frame(5, "tail"))
    assert (state["streams"]["s"]["text"], state["streams"]["s"]["truncated"]) == ("tail", True)


def test_a_streaming_step_that_ended_before_a_frame_came_shows_its_result(play: Play) -> None:
    steps = [{"name": "s", "kind": "stream", "status": "running", "attempts": 1}]
    state = play(event(1, "step:complete", "s", output="all"), steps=steps)
    assert state["streams"]["s"]["text"] == "all"


def test_steps_tell_attempts_trouble_and_the_running_one(play: Play) -> None:
    error = {"type": "OSError", "message": "gone"}
    state = play(event(1, "step:complete", "a"), event(2, "step:start", "b"), event(3, "step:retry", "b", error=error))
    assert state["steps"]["b"]["trouble"] == "OSError: gone"
    assert state["sentence"] == "Trying b again in a moment; 1 step done."
    state = play(event(1, "step:complete", "a"), event(2, "step:start", "__proto__", 2))
    assert state["sentence"] == "Running step 2: __proto__."


def test_the_end_closes_open_streams(play: Play) -> None:
    state = play(reset(), frame(0, "half"), event(1, "run:cancel", reason="enough"))
    assert (state["status"], state["ended"], state["streams"]["s"]["state"]) == ("cancelled", True, "failed")
    assert state["sentence"] == "Cancelled."


def test_a_step_that_the_failure_of_its_run_found_at_work_is_shown_stopped(play: Play) -> None:
    found = [event(1, "step:start", "a"), event(2, "step:cancel", "a", stopped=True), event(3, "run:fail")]
    assert play(*found)["steps"]["a"]["status"] == "stopped"
    assert play(event(1, "step:start", "a"), event(2, "step:cancel", "a"))["steps"]["a"]["status"] == "cancelled"


def test_a_run_that_a_person_lets_go_on_is_queued_until_a_worker_works(play: Play) -> None:
    olga = {"kind": "user", "id": "7", "name": "olga"}
    assert play(event(1, "run:resume", actor=olga), status="paused")["status"] == "queued"
    assert play(event(1, "run:retry", actor=olga), event(2, "step:start", "a"), status="failed")["status"] == "running"
    assert play(event(1, "run:resume"), status="waiting")["status"] == "running"


def test_a_step_that_only_waits_is_shown_waiting(play: Play) -> None:
    state = play(event(1, "step:start", "approve", kind="signal"), event(2, "run:wait", reason="signal approve"))
    assert (state["steps"]["approve"]["status"], state["status"]) == ("waiting", "waiting")
    assert play(event(1, "step:start", "a", kind="run"))["steps"]["a"]["status"] == "running"


REPLY = {
    "kind": "reply", "model": "m-1", "provider_kind": "openai",
    "message": {"role": "assistant", "content": "Hello.", "reasoning": "A greeting.",
                "tool_calls": [{"id": "1", "name": "wave", "arguments": {"hand": "left"}}]},
}  # fmt: skip


def test_reasoning_and_tool_calls_of_a_model_have_their_own_places(play: Play) -> None:
    found = play(
        reset(),
        frame(0, {"type": "reasoning", "text": "A "}),
        frame(1, {"type": "reasoning", "text": "greeting."}),
        frame(2, {"type": "text", "text": "Hello."}),
        frame(3, {"type": "tool_call", "id": "1", "name": "wave", "arguments": '{"hand":'}),
        frame(4, {"type": "tool_call", "id": "1", "name": "wave", "arguments": '"left"}'}),
    )["streams"]["s"]
    assert (found["text"], found["reasoning"]) == ("Hello.", "A greeting.")
    assert found["calls"] == [{"id": "1", "name": "wave", "arguments": '{"hand":"left"}'}]


def test_a_recorded_reply_says_what_its_frames_said(play: Play) -> None:
    frames = [
        reset(),
        frame(0, {"type": "reasoning", "text": "A greeting."}),
        frame(1, {"type": "text", "text": "Hel"}),
    ]
    live = play(*frames)["streams"]["s"]
    done = play(*frames, event(1, "step:complete", "s", output=REPLY))["streams"]["s"]
    assert (done["text"], done["reasoning"], done["source"]) == ("Hello.", "A greeting.", "m-1")
    assert done["calls"] == [{"id": "1", "name": "wave", "arguments": '{"hand":"left"}'}]
    assert done["revision"] == live["revision"], "what is there already stays"
    scripted = play(
        event(1, "step:start", "s", kind="stream"),
        event(2, "step:complete", "s", output=REPLY | {"provider_kind": "scripted"}),
    )
    assert scripted["streams"]["s"]["source"] == "scripted provider"


def test_a_new_attempt_begins_without_the_reasoning_of_the_one_before(play: Play) -> None:
    found = play(reset(), frame(0, {"type": "reasoning", "text": "Hm"}), reset(attempt=2))["streams"]["s"]
    assert (found["reasoning"], found["text"], found["calls"]) == ("", "", [])


def test_a_status_stands_beside_the_text_and_a_diff_is_one(play: Play) -> None:
    hunk = "--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-x\n+y\n"
    frames = [
        reset(),
        frame(0, {"type": "status", "text": "1 edit"}),
        frame(1, {"type": "diff", "file": "a.py", "text": hunk}),
        frame(2, {"type": "status", "text": "1 line added"}),
    ]
    found = play(*frames)["streams"]["s"]
    assert (found["text"], found["status"], found["diff"]) == (hunk, "1 line added", True)
    done = play(*frames, event(1, "step:complete", "s", output=hunk))["streams"]["s"]
    assert (done["text"], done["diff"], done["revision"]) == (hunk, True, found["revision"])
    assert play(reset(), event(1, "step:complete", "s", output="- a list"))["streams"]["s"]["diff"] is False


def test_an_answer_that_is_json_is_indented_once_it_is_recorded(play: Play) -> None:
    reply = REPLY | {"message": {"role": "assistant", "content": '{"a": [1]}'}}
    found = play(reset(), frame(0, '{"a"'), event(1, "step:complete", "s", output=reply))["streams"]["s"]
    assert found["text"] == '{\n  "a": [\n    1\n  ]\n}'
