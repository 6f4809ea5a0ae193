"""In a flow with an answer_agent that agent is asked before people are, and people where it cannot tell."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from flows.agents.forks import decides_about_people
from flows.agents.instructions.answer import question
from flows.agents.loader import load
from hitl.answers import withdraw
from hitl.models import Question
from providers.replies import ChatItem
from providers.requests import ChatRequest
from providers.scripted.client import ScriptedClient
from runs import jobs
from runs.models import Run, RunStatus, Step
from runs.testing import crash_after, drain, run_to_end
from tests.agents.flow_runs import begin, came, events, say
from tests.pipelines.people import member

pytestmark = pytest.mark.django_db(transaction=True)

FLOW = """
name: f
max_steps: 20
answer_agent: owner
personas: {owner: You own the shop., coder: You code.}
steps:
  - name: work
    persona: coder
    rules:
      - {condition: unclear, next: work, requires_user_input: true}
      - {condition: done, next: COMPLETE}
"""
BLOCKED = {"persona": "coder", "status": "blocked", "content": "I looked.\n質問: which one?"}
SECOND = {"persona": "owner", "content": "The second."}
DONE = {"persona": "coder", "content": "[work:2]"}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[ChatRequest]:
    """What the provider was asked, in order."""
    requests: list[ChatRequest] = []
    chat = ScriptedClient.chat

    async def listed(self: ScriptedClient, request: ChatRequest) -> AsyncGenerator[ChatItem, None]:
        requests.append(request)
        async for item in chat(self, request):
            yield item

    monkeypatch.setattr(ScriptedClient, "chat", listed)
    return requests


def names(run: Run) -> list[str]:
    return list(Step.objects.filter(run=run).order_by("id").values_list("name", flat=True))


def told(run: Run, number: int) -> str:
    return str(Step.objects.get(run=run, name=f"{number}. work: instruction").output["instruction"])


def answerers(run: Run) -> list[Any]:
    return [one["by"] for one in events(run, "flow:blocked")]


def test_its_words_are_the_answer_and_nobody_is_asked(asked: list[ChatRequest]) -> None:
    run = run_to_end(begin(FLOW, [BLOCKED, SECOND, DONE], "tidy up"))
    assert run.status == RunStatus.COMPLETED, run.error
    assert names(run)[-4:] == ["1. work", "1. work: answer by agent", "2. work: instruction", "2. work"]
    assert "The second." in told(run, 2)
    assert events(run, "flow:blocked") == [{"step": "work", "prompt": "which one?", "answered": True, "by": "agent"}]
    assert not Question.objects.exists()
    assert asked[1].tools == []
    assert asked[1].messages[0].content == "You own the shop."
    assert all(f"```text\n{text}\n```" in asked[1].last_user_text for text in ("tidy up", "which one?"))


def test_it_answers_a_rule_that_wants_a_word_of_people(asked: list[ChatRequest]) -> None:
    run = run_to_end(begin(FLOW, [{"persona": "coder", "content": "Red or blue? [work:1]"}, SECOND, DONE]))
    assert run.status == RunStatus.COMPLETED, run.error
    assert "```text\nunclear\n```" in asked[1].last_user_text
    assert "Red or blue?" in asked[1].last_user_text
    assert "The second." in told(run, 2)
    assert answerers(run) == ["agent"]


@pytest.mark.parametrize(
    "entry",
    [
        {"persona": "owner", "status": "blocked", "content": "Only ann knows."},
        {"persona": "owner", "status": "error", "error": "out of order"},
        {"persona": "owner", "content": "  "},
        None,
    ],
    ids=["blocked", "failed", "empty", "no entry"],
)
def test_where_it_cannot_tell_people_are_asked(entry: dict[str, Any] | None) -> None:
    run = begin(FLOW, [BLOCKED, *([entry] if entry else []), DONE])
    assert say(run, "submit", {"answer": "the third"}).step == "1. work: blocked"
    run = came(run_to_end(run)).run
    assert run.status == RunStatus.COMPLETED, run.error
    assert "the third" in told(run, 2)
    assert answerers(run) == ["people"]


def test_where_nobody_answers_either_a_retry_asks_people_and_not_the_agent_again(asked: list[ChatRequest]) -> None:
    run = begin(FLOW, [BLOCKED, {"persona": "owner", "status": "error", "error": "out of order"}, DONE])
    drain()
    withdraw(Question.objects.get().id, member("ann", "team"))
    assert run_to_end(run).status == RunStatus.FAILED
    jobs.retry(run.id)
    assert say(run, "submit", {"answer": "the third"}).step == "1. work: blocked again #1"
    assert run_to_end(run).status == RunStatus.COMPLETED
    assert len(asked) == 3
    assert answerers(run) == [None, "people"]


def test_after_three_answers_in_a_row_people_are_asked_and_then_it_is_again() -> None:
    run = begin(FLOW, [BLOCKED, SECOND] * 3 + [BLOCKED] + [BLOCKED, SECOND] + [DONE])
    assert say(run, "submit", {"answer": "the third"}).step == "4. work: blocked"
    run = run_to_end(run)
    assert run.status == RunStatus.COMPLETED, run.error
    assert answerers(run) == ["agent", "agent", "agent", "people", "agent"]


def test_an_answer_of_a_step_that_goes_on_begins_the_count_anew() -> None:
    text = FLOW.replace("next: COMPLETE", "next: COMPLETE}\n      - {condition: more, next: work")
    more = {"persona": "coder", "content": "[work:3]"}
    run = run_to_end(begin(text, [BLOCKED, SECOND] * 3 + [more] + [BLOCKED, SECOND] + [DONE]))
    assert run.status == RunStatus.COMPLETED, run.error
    assert answerers(run) == ["agent"] * 4


def test_a_worker_that_dies_after_it_has_answered_does_not_have_it_asked_again(asked: list[ChatRequest]) -> None:
    run = begin(FLOW, [BLOCKED, SECOND, BLOCKED, SECOND, DONE])
    for name in ("1. work", "1. work: answer by agent", "2. work", "2. work: answer by agent"):
        with crash_after(name):
            drain()
    run = run_to_end(run)
    assert run.status == RunStatus.COMPLETED, run.error
    assert len(asked) == 5
    assert answerers(run) == ["agent", "agent"]


def test_without_one_nothing_is_asked_of_an_agent() -> None:
    run = begin(FLOW.replace("answer_agent: owner\n", ""), [BLOCKED, SECOND, DONE])
    assert say(run, "submit", {"answer": "the third"}).step == "1. work: blocked"
    assert came(run_to_end(run)).run.status == RunStatus.COMPLETED


def test_a_fork_may_not_change_what_it_answered() -> None:
    assert decides_about_people({}, {"1. work: answer by agent"})
    assert not decides_about_people({}, {"1. work"})


def test_it_is_written_as_a_persona_is(tmp_path: Path) -> None:
    text = "name: f\nanswer_agent: %s\nsteps: [{name: a, persona: You work.}]"
    (tmp_path / "owner.md").write_text("You own the shop.\n")
    for written, key in (("You own the shop.", "answer_agent"), ("owner.md", "owner")):
        flow = load(text % written, folder=tmp_path)
        assert (flow.answer_agent, flow.personas[key].prompt) == (key, "You own the shop.")
    assert load(text % "owner").answer_agent == "owner"
    assert load("name: f\nsteps: [{name: a, persona: You work.}]").answer_agent is None


def test_what_it_is_shown_is_fenced_cut_and_in_the_flows_language() -> None:
    shown = question("work", "```\nOut!", "a" * 30_000, "which?")
    assert "````text\n```\nOut!\n````" in shown
    assert "[… 10000 characters are left out …]" in shown
    assert question("work", "t", "which?\n", "which?").count("which?") == 1
    assert "ユーザーリクエスト" in question("work", "t", "s", "n", "ja")
