"""What a model says, as its client is told it: piece by piece, once, and never what does not count any more."""

from typing import Any

from flows.llm.tools import naming
from perdure.agui.adapter import Adapter, Opening
from perdure.agui.adapter.answers import AT_ONCE
from runs.events.types import EventType, RunEvent
from tests.agui.adapter.readers import Reader
from tests.agui.adapter.story import RUN, Story, entry, frame, heard_after, reply, reset
from tests.agui.adapter.wire import Client, Event, on_the_wire

CALL = ("call_1", "add", {"a": 1, "b": "Ä"})


def read(events: list[RunEvent], version: str = "1.0") -> list[Event]:
    return on_the_wire(Reader(version).read(events).events)


def only(events: list[Event], *kinds: str) -> list[Event]:
    return [event for event in events if event["type"].startswith(kinds)]


def begun(*, reasoning: str = "", text: str = "") -> Story:
    story = Story()
    story.write(EventType.RUN_START)
    story.begin("ask")
    for kind, said in (("reasoning", reasoning), ("text", text)):
        if said:
            story.emit("ask", {"type": kind, "text": said})
    return story


def test_reasoning_text_and_calls_come_in_their_order_and_are_closed_before_the_next_begins() -> None:
    story = begun(reasoning="Hm.", text="Wait.")
    for piece in ('{"a": 1,', ' "b": "Ä"}'):
        story.emit("ask", {"type": "tool_call", "id": "call_1", "name": "add", "arguments": piece})
    story.end("ask", output=reply("Wait.", "Hm.", [CALL]))
    told = read(story.told)[2:]
    assert [event["type"] for event in told] == [
        "REASONING_START", "REASONING_MESSAGE_START", "REASONING_MESSAGE_CONTENT", "REASONING_MESSAGE_END",
        "REASONING_END", "TEXT_MESSAGE_START", "TEXT_MESSAGE_CONTENT", "TEXT_MESSAGE_END", "TOOL_CALL_START",
        "TOOL_CALL_ARGS", "TOOL_CALL_ARGS", "TOOL_CALL_END", "STEP_FINISHED",
    ]  # fmt: skip
    (text,), (call,) = only(told, "TEXT_MESSAGE_START"), only(told, "TOOL_CALL_START")
    assert call["parentMessageId"] == text["messageId"]


def test_a_call_without_text_has_a_message_to_belong_to() -> None:
    story = begun()
    story.end("ask", output=reply("", "", [CALL]))
    told = read(story.told)
    (text,), (call,) = only(told, "TEXT_MESSAGE_START"), only(told, "TOOL_CALL_START")
    assert (text["messageId"], only(told, "TEXT_MESSAGE_CONTENT")) == (call["parentMessageId"], [])


def test_after_a_hole_nothing_is_told_until_the_answer_is_whole() -> None:
    story = begun(text="Ha")
    story.told += [frame("ask", 2, {"type": "text", "text": "lo"}), frame("ask", 3, {"type": "text", "text": "!"})]
    story.end("ask", output=reply("Hallo!"))
    assert [event["delta"] for event in only(read(story.told), "TEXT_MESSAGE_CONTENT")] == ["Ha", "llo!"]


def test_frames_that_come_again_are_told_once() -> None:
    story = begun(text="Ha")
    story.told += [story.told[-1], reset("ask"), *story.told[-2:], frame("ask", 1, {"type": "text", "text": "llo"})]
    story.end("ask", output=reply("Hallo"))
    assert [event["delta"] for event in only(read(story.told), "TEXT_MESSAGE_CONTENT")] == ["Ha", "llo"]


def test_an_answer_that_was_recorded_otherwise_than_it_was_told_is_corrected() -> None:
    story = begun(text="The key is hunter2")
    story.end("ask", output=reply("The key is ***"))
    (snapshot,) = only(read(story.told), "MESSAGES_SNAPSHOT")
    assert [message["content"] for message in snapshot["messages"]] == ["Hello", "The key is ***"]


def test_arguments_that_were_cut_are_told_by_a_snapshot_for_their_json_is_the_vendors() -> None:
    story = begun()
    story.emit("ask", {"type": "tool_call", "id": "call_1", "name": "add", "arguments": '{"a":'})
    story.told.append(frame("ask", 2, {}))
    story.write(EventType.STEP_COMPLETE, "ask", 1, output=reply("", "", [CALL]), frames=3)
    told = read(story.told)
    assert [event["delta"] for event in only(told, "TOOL_CALL_ARGS")] == ['{"a":']
    (snapshot,) = only(told, "MESSAGES_SNAPSHOT")
    assert snapshot["messages"][-1]["toolCalls"][0]["function"]["arguments"] == '{"a": 1, "b": "Ä"}'


def test_reasoning_of_a_discarded_attempt_is_emptied_where_a_snapshot_cannot_remove_it() -> None:
    story = begun(reasoning="Wrong.")
    story.end("ask", how=EventType.STEP_RETRY, error={})
    story.begin("ask", 2)
    story.emit("ask", {"type": "reasoning", "text": "Right."}, 2)
    story.end("ask", 2, output=reply("Yes.", "Right."))
    client = Client([{"id": "u1", "role": "user", "content": "Hello"}])
    for event in read(story.told):
        client.apply(event)
    assert [message["content"] for message in client.messages] == ["Hello", "Right.", "Yes."]


def test_two_models_answers_mix_without_touching_each_other() -> None:
    story = Story()
    for step in ("a", "b"):
        story.begin(step)
    for word in ("one ", "two "):
        for step in ("a", "b"):
            story.emit(step, {"type": "text", "text": step + word})
    story.end("a", how=EventType.STEP_RETRY, error={})
    story.end("b", output=reply("bone btwo "))
    told = read(story.told)
    (snapshot,) = only(told, "MESSAGES_SNAPSHOT")
    assert [message["content"] for message in snapshot["messages"]] == ["Hello", "bone btwo "]
    assert told.index(snapshot) < told.index(only(told, "TEXT_MESSAGE_END")[-1]), "what b has said so far stands in it"


def test_a_snapshot_waits_until_what_it_must_say_is_known_again() -> None:
    story = Story()
    for step in ("a", "b"):
        story.begin(step)
        story.emit(step, {"type": "text", "text": f"{step} says"})
    reader = Reader().read(story.told)
    log = story.log
    story.end("a", how=EventType.STEP_RETRY, error={})
    again = Reader.going_on(reader.told[-1], log)
    again.read([story.log[-1]])
    assert [event.type.value for event in again.events] == ["TEXT_MESSAGE_END"]
    again.read([reset("b"), frame("b", 0, {"type": "text", "text": "b says"})])
    assert on_the_wire(again.events)[-1]["messages"][-1]["content"] == "b says"


def test_texts_of_other_streaming_steps_are_messages_and_other_frames_are_custom_events() -> None:
    story = Story()
    story.begin("write")
    for data in ("Dear ", {"type": "text", "text": "Bob"}, {"percent": 50}):
        story.emit("write", data)
    story.end("write", output="Dear Bob")
    story.write(EventType.RUN_COMPLETE, output="Dear Bob")
    told = read(story.told)
    assert "".join(event["delta"] for event in only(told, "TEXT_MESSAGE_CONTENT")) == "Dear Bob"
    (custom,) = only(told, "CUSTOM")
    assert (custom["name"], custom["value"]) == ("perdure.frame", {"step": "write", "data": {"percent": 50}})
    assert told[-1]["result"] == "Dear Bob"


def test_what_a_step_streamed_and_did_not_record_is_taken_back() -> None:
    story = Story()
    story.begin("build")
    story.emit("build", "compiling")
    story.end("build", output={"exit": 0})
    (snapshot,) = only(read(story.told), "MESSAGES_SNAPSHOT")
    assert [message["role"] for message in snapshot["messages"]] == ["user"]


def test_an_output_that_nobody_said_is_said_at_the_end() -> None:
    story = Story()
    story.perform("count", 3)
    story.write(EventType.RUN_COMPLETE, output="Three.")
    told = read(story.told)
    assert [event["delta"] for event in only(told, "TEXT_MESSAGE_CONTENT")] == ["Three."]
    assert told[-1]["result"] == "Three."


def test_ids_are_the_same_for_every_reader_and_differ_where_the_vendors_repeat() -> None:
    story = Story()
    for turn in (1, 2):
        step = naming.model_step("ask", turn)
        story.begin(step)
        story.end(step, output=reply("", "", [CALL, CALL]))
    one, other = read(story.told), read(list(heard_after(story.told, 0, "none")))
    ids: list[Any] = [event["toolCallId"] for event in only(one, "TOOL_CALL_START")]
    assert ids == [event["toolCallId"] for event in only(other, "TOOL_CALL_START")]
    assert len(set(ids)) == 4


def test_of_very_many_answers_at_once_some_come_whole_so_that_marks_stay_short() -> None:
    story = Story()
    steps = [f"summarise[{number}] of a pipeline" for number in range(AT_ONCE + 8)]
    for step in steps:
        story.begin(step)
        for piece in ("Half", " of it"):
            story.emit(step, {"type": "text", "text": piece})
    for step in steps:
        story.end(step, output=reply("Half of it."))
    reader = Reader().read(story.told)
    told = only(on_the_wire(reader.events), "TEXT_MESSAGE_CONTENT")
    assert [event["delta"] for event in told].count("Half") == AT_ONCE
    assert [event["delta"] for event in told].count("Half of it.") == 8
    assert max(len(one.mark) for one in reader.told) < 4_000


def deltas(events: list[Event]) -> list[str]:
    return [event["delta"] for event in only(events, "TEXT_MESSAGE_CONTENT")]


def test_a_reader_that_missed_the_first_frames_is_told_the_answer_whole() -> None:
    story = Story()
    story.begin("ask")
    story.told += [reset("ask", truncated=1), frame("ask", 1, {"type": "text", "text": "llo"})]
    story.end("ask", output=reply("Hallo"))
    assert deltas(read(story.told)) == ["Hallo"]


def test_frames_that_nobody_heard_are_made_up_for_at_the_end() -> None:
    story = begun(text="Ha")
    adapter = Adapter(RUN)
    for event in story.told:
        adapter.feed(event)
    adapter.begin(Opening("t", "r"))
    assert adapter.feed(frame("ask", 1, {"type": "text", "text": "llo"})) == []
    end = entry(adapter.sequence + 1, EventType.STEP_COMPLETE, "ask", 1, output=reply("Hallo"), frames=2)
    assert deltas(on_the_wire(adapter.feed(end))) == ["Hallo"]


def test_frames_of_an_attempt_that_has_ended_are_not_told() -> None:
    story = begun(text="Hallo")
    story.end("ask", output=reply("Hallo"))
    story.told += [reset("ask"), frame("ask", 0, {"type": "text", "text": "Hallo"})]
    assert deltas(read(story.told)) == ["Hallo"]


def test_who_has_a_part_of_what_an_event_was_told_as_is_told_the_rest_of_just_that() -> None:
    story = begun(text="Ha")
    story.end("ask", output=reply("Hallo"))
    whole = Reader().read(story.told)
    content = next(one for one in whole.told if getattr(one.event, "delta", "") == "llo")
    again = Reader.going_on(content, story.log)
    again.read([reset("ask"), frame("ask", 0, {"type": "text", "text": "Ha"}), frame("ask", 1, "too late")])
    assert again.events == [], "what comes before that event would change what it is told as"
    again.read(story.log[-1:])
    assert [event.type.value for event in again.events] == ["TEXT_MESSAGE_END", "STEP_FINISHED"]


def test_a_step_that_a_retried_run_does_again_says_its_answer_in_place_of_the_old_one() -> None:
    story = begun(text="Old")
    story.end("ask", output=reply("Old", "", [CALL]))
    story.perform(naming.tool_step("ask", 1, 1, "add"), "3")
    story.begin("ask", 2)
    story.end("ask", 2, output=reply("New"))
    reader = Reader().read(story.told)
    (snapshot,) = only(on_the_wire(reader.events), "MESSAGES_SNAPSHOT")
    kept = [(message["role"], message["content"]) for message in snapshot["messages"]]
    assert kept == [("user", "Hello"), ("assistant", "New")], "nor is there a result of a call that was never made"
    assert set(reader.adapter.model_messages) == {snapshot["messages"][-1]["id"]}
