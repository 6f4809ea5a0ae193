"""Whoever reads a run, from whatever event on and with whatever frames, has a legal stream and the same messages."""

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.agui.adapter.readers import Reader, Told
from tests.agui.adapter.stories import stories
from tests.agui.adapter.story import Story, heard_after
from tests.agui.adapter.wire import Client, on_the_wire, transcript, violation

BEGUN = [{"id": "u1", "role": "user", "content": "Hello"}]
MANY = settings(
    max_examples=500 if settings.get_current_profile_name() == "long" else 20, deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)  # fmt: skip
VERSIONS = st.sampled_from(["", "1.0"])


def client_of(told: list[Told]) -> Client:
    client = Client(BEGUN)
    for event in on_the_wire(one.event for one in told):
        client.apply(event)
    return client


def recorded(story: Story) -> list[dict[str, object]]:
    """The transcript of one that reads the log alone, after the run."""
    silent = Reader()
    for event in story.log:
        silent.adapter.feed(event)
    assert not silent.told
    return transcript(on_the_wire(silent.adapter.messages))


def in_any_order(messages: list[dict[str, object]]) -> list[str]:
    return sorted(json.dumps(message, sort_keys=True) for message in messages)


def parts_of(story: Story) -> list[int]:
    """Where its protocol runs end."""
    reader, ends = Reader(), list[int]()
    for event in story.log:
        reader.adapter.feed(event)
        if reader.adapter.boundary == event.sequence:
            ends.append(event.sequence or 0)
    return ends


@MANY
@given(stories(), VERSIONS)
def test_who_hears_all_of_it_has_a_legal_stream_and_what_is_recorded(story: Story, version: str) -> None:
    reader = Reader(version).read(story.told)
    assert violation(on_the_wire(reader.events)) == ""
    assert not reader.adapter.is_open
    marks = [(one.part, one.mark) for one in reader.told]
    assert len(set(marks)) == len(marks)
    client = client_of(reader.told)
    assert in_any_order(client.transcript()) == in_any_order(recorded(story))
    assert transcript(on_the_wire(reader.adapter.messages)) == recorded(story)
    assert client.state == reader.adapter.state
    if not any(event.step and event.step.endswith(".b") for event in story.told):
        assert client.transcript() == recorded(story), "only answers that came at once may stand in another order"


@MANY
@given(stories())
def test_clients_of_0_x_get_nothing_that_they_die_of(story: Story) -> None:
    for event in on_the_wire(Reader("").read(story.told).events):
        outcome = event.get("outcome", {})
        assert outcome.get("type") != "cancelled"
        assert "pendingToolCallIds" not in outcome


@MANY
@given(stories(), VERSIONS, st.data())
def test_who_is_cut_off_after_any_event_and_comes_back_has_the_same(
    story: Story, version: str, data: st.DataObject
) -> None:
    whole = Reader(version).read(story.told)
    cut = data.draw(st.integers(0, len(whole.told) - 1), label="cut after")
    frames = data.draw(st.sampled_from(["again", "late", "none"]), label="frames")
    got = whole.told[: cut + 1]
    again = Reader.going_on(got[-1], story.log, version)
    if again.adapter.sequence < len(story.log):
        again.read(heard_after(story.told, again.adapter.sequence, frames))
    told = got + again.told
    assert violation(on_the_wire(one.event for one in told)) == ""
    marks = [(one.part, one.mark) for one in told]
    assert len(set(marks)) == len(marks)
    assert in_any_order(client_of(told).transcript()) == in_any_order(recorded(story))


@MANY
@given(stories(), st.data())
def test_who_loses_frames_has_the_same(story: Story, data: st.DataObject) -> None:
    lost = data.draw(st.sets(st.integers(0, len(story.told)), max_size=8), label="lost")
    heard = [event for index, event in enumerate(story.told) if event.sequence is not None or index not in lost]
    reader = Reader().read(heard)
    assert violation(on_the_wire(reader.events)) == ""
    assert in_any_order(client_of(reader.told).transcript()) == in_any_order(recorded(story))


@MANY
@given(stories(), st.data())
def test_who_comes_late_is_told_the_state_and_the_messages_first(story: Story, data: st.DataObject) -> None:
    ends = [0, *parts_of(story)]
    begins = data.draw(st.sampled_from(ends[:-1]), label="begins after")
    reader = Reader()
    for event in story.log[:begins]:
        reader.adapter.feed(event)
    reader.begin(snapshots=True)
    reader.read(heard_after(story.told, begins, "again"))
    assert violation(on_the_wire(reader.events)) == ""
    client = Client([])
    for told in on_the_wire(reader.events):
        client.apply(told)
    assert in_any_order(client.transcript()) == in_any_order(recorded(story))
    assert client.state == reader.adapter.state
