"""The shared cases of runs, over connections that are cut at every tenth event."""

import asyncio
from collections import Counter
from typing import Any

import pytest
from conftest import CASES, CUT_URL, TOKEN, URL

from perdure_client import AsyncPerdureClient, Event, NotFound, NotSignedIn, PerdureClient, PerdureError


def check(case: dict[str, Any], events: list[Event]) -> None:
    numbers = [event.sequence for event in events if event.sequence is not None]
    assert numbers == list(range(1, len(numbers) + 1))
    counts = Counter(event.type for event in events)
    assert {name: counts[name] for name in case["counts"]} == case["counts"]
    if words := case.get("words"):
        check_frames(words, events)


def check_frames(words: int, events: list[Event]) -> None:
    """No frame comes twice; those that fell to a cut at the end of their step are told by its output."""
    frames = [(event.step, event.data["text"]) for event in events if event.type == "stream"]
    assert frames
    assert len(set(frames)) == len(frames)
    for event in events:
        if event.type == "step:complete":
            text = [f"word-{number}" for number in range(words)]
            assert event.data["output"] == " ".join(text)
            assert [said for step, said in frames if step == event.step] in [text[:count] for count in range(words + 1)]


@pytest.mark.cases("runs")
def test_a_stream_that_is_cut_has_every_event_once(cut_client: PerdureClient, case: dict[str, Any]) -> None:
    run = cut_client.runs.start(case["job"], case["input"])
    check(case, list(cut_client.stream(run.id)))
    ended = cut_client.runs.get(run.id)
    assert ended.status == case["status"]
    if "output" in case:
        assert ended.output == case["output"]
    if "error" in case:
        assert case["error"] in (ended.error or {})["message"]


@pytest.mark.cases("runs")
def test_the_asynchronous_client_does_the_same(case: dict[str, Any]) -> None:
    async def follow() -> list[Event]:
        async with AsyncPerdureClient(CUT_URL, TOKEN) as client:
            run = await client.runs.start(case["job"], case["input"])
            return [event async for event in client.stream(run.id)]

    check(case, asyncio.run(follow()))


def test_a_stream_begins_after_the_number_that_it_is_given(cut_client: PerdureClient) -> None:
    run = cut_client.runs.start("client-count", {"steps": 20})
    last = cut_client.runs.wait(run.id).last_sequence
    numbers = [event.sequence for event in cut_client.stream(run.id, after=15)]
    assert numbers == list(range(16, last + 1))
    assert list(cut_client.stream(run.id, after=last)) == []


def test_a_question_is_found_and_answered(client: PerdureClient) -> None:
    case = CASES["question"]
    run = client.runs.start(case["job"], case["input"])
    stream = client.stream(run.id)
    next(event for event in stream if event.type == "question:ask")
    [question] = client.questions.list(run=run.id, status="open").results
    assert question.title == case["input"]["text"]
    client.questions.answer(question, case["decision"], comment=case["comment"])
    assert client.runs.wait(run.id).output == case["output"]


def test_a_signal_reaches_its_run_as_it_was_sent(client: PerdureClient) -> None:
    case = CASES["signal"]
    run = client.runs.start(case["job"])
    sent = client.runs.signal(run.id, case["signal"], case["payload"], idempotency_key="once")
    again = client.runs.signal(run.id, case["signal"], case["payload"], idempotency_key="once")
    assert (sent.disposition, again.disposition, again.id) == ("created", "idempotent", sent.id)
    assert client.runs.wait(run.id).output == case["payload"]


def test_a_run_that_is_parked_by_its_budget_goes_on_once_more_is_granted(client: PerdureClient) -> None:
    case = CASES["budget"]
    run = client.runs.start(case["job"], case["input"], budget=case["budget"])
    next(event for event in client.stream(run.id) if event.type == "budget:exceed")
    client.runs.grant(run.id, **case["grant"])
    assert client.runs.wait(run.id).output == case["output"]


def test_a_cancelled_run_ends_its_stream(cut_client: PerdureClient) -> None:
    case = CASES["cancel"]
    run = cut_client.runs.start(case["job"])
    cut_client.runs.cancel(run.id, case["reason"])
    events = list(cut_client.stream(run.id))
    assert events[-1].type == "run:cancel"
    assert events[-1].data["reason"] == case["reason"]


@pytest.mark.cases("refusals")
def test_a_refusal_has_its_code_and_its_remedy(client: PerdureClient, case: dict[str, Any]) -> None:
    with pytest.raises(PerdureError) as refused:
        client.runs.start(case["job"], case["input"])
    assert (refused.value.status, refused.value.code) == (case["status"], case["code"])
    assert refused.value.message.endswith(".")


def test_a_run_that_is_not_there_and_a_token_that_is_not_valid(client: PerdureClient) -> None:
    nowhere = "00000000-0000-7000-8000-000000000000"
    with pytest.raises(NotFound) as missing:
        client.runs.get(nowhere)
    assert missing.value.code == CASES["unknown_run"]["code"]
    with pytest.raises(NotFound):
        list(client.stream(nowhere))
    with PerdureClient(URL, "perdure_wrong") as stranger, pytest.raises(NotSignedIn) as refused:
        stranger.runs.list()
    assert refused.value.code == CASES["bad_token"]["code"]
    assert "perdure_wrong" not in repr(vars(stranger)["_settings"])


def test_files_that_a_run_has_saved_are_listed_and_downloaded(client: PerdureClient) -> None:
    run = client.runs.wait(client.runs.start("client-save").id)
    assert [(one.name, one.version, one.size) for one in client.runs.artifacts(run.id).results] == [
        ("report.md", 1, 5), ("report.md", 2, 5),
    ]  # fmt: skip
    assert client.runs.download(run.id, "report.md") == b"# Two"
    assert client.runs.download(run.id, "report.md", version=1) == b"# One"
    with pytest.raises(NotFound):
        client.runs.download(run.id, "nothing")
