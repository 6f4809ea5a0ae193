"""Workers that die after each step of a flow: what was recorded is not done again, and it goes the same way."""

import json
from collections import Counter
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db.models import Q

from flows.agents.loader import load
from flows.agents.registry import Work, flow_function, forget_function
from providers.replies import ChatItem
from providers.requests import ChatRequest
from providers.scripted.client import ScriptedClient
from runs.models import Run, Step, StepStatus
from runs.testing import crash_after, drain
from tests.agents.played import answer_next, begun, ended, told

pytestmark = pytest.mark.django_db(transaction=True)

SCENARIO = Path(__file__).parents[2] / "examples/flows/scenarios/review-loop-cycle.json"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often the provider was asked what; each instruction has its iteration in it."""
    counts: Counter[str] = Counter()
    chat = ScriptedClient.chat

    async def counted(self: ScriptedClient, request: ChatRequest) -> AsyncGenerator[ChatItem, None]:
        counts[request.last_user_text] += 1
        async for item in chat(self, request):
            yield item

    monkeypatch.setattr(ScriptedClient, "chat", counted)
    return counts


def played() -> Run:
    return begun("review-loop", json.loads(SCENARIO.read_text()))


def transitions(run: Run) -> list[dict[str, Any]]:
    """In the order of their names: two sub-steps may end one before the other."""
    found = [{key: value for key, value in one.items() if key != "sequence"} for one in told(run)["transitions"]]
    return sorted(found, key=lambda one: (one["iteration"], one.get("sub") or "~"))


def names(run: Run) -> list[str]:
    return list(Step.objects.filter(run=run).order_by("id").values_list("name", flat=True))


def die_after_each(run: Run, steps: list[str], answers: list[Any] | None = None) -> int:
    """How often a worker died, of this run or of one that it called; its questions are answered in between."""
    deaths = 0
    for name in steps:
        if not _is_recorded(run, name):
            with crash_after(name):
                drain()
                while answers and not _is_recorded(run, name) and answer_next(run, answers):
                    drain()
            deaths += 1
    return deaths


def _is_recorded(run: Run, name: str) -> bool:
    return Step.objects.filter(_of(run), name=name, status=StepStatus.COMPLETED).exists()


def _of(run: Run) -> Q:
    return Q(run=run) | Q(run__parent=run)


def test_what_is_recorded_is_not_asked_again_wherever_workers_die(asked: Counter[str]) -> None:
    plain = ended(played())
    assert set(asked.values()) == {1}
    texts = set(asked)
    asked.clear()

    run = played()
    deaths = die_after_each(run, names(plain))
    assert deaths > 20
    assert ended(run).output == plain.output
    assert transitions(run) == transitions(plain)
    assert set(asked) == texts
    # a worker that dies with one sub-step recorded takes the other one's call with it
    assert {text for text, count in asked.items() if count > 1} <= {
        text for text in texts if "Review this change." in text
    }
    assert names(run).count("6. fix: loop judge") == 1


@pytest.mark.parametrize("lost", ["1. plan", "6. fix: loop judge"])
def test_an_answer_that_was_not_recorded_is_asked_for_once_more(asked: Counter[str], lost: str) -> None:
    run = played()
    with crash_after(lost, run=run, before_record=True):
        drain()
    assert ended(run).status == "completed"
    assert sorted(Counter(asked.values())) == [1, 2]
    assert Counter(asked.values())[2] == 1


INNER = """
name: inner
subflow: {callable: true, returns: [sound]}
steps:
  - name: judge it
    persona: critic
    rules: [{condition: it is sound, return: sound}]
"""
OUTER = """
name: outer
steps:
  - name: count
    parallel:
      - {name: words, function: count-for-test}
      - {name: again, function: count-for-test}
  - name: draft
    persona: writer
    rules: [{condition: complete, next: look}]
  - name: look
    call: inner
    rules: [{condition: sound, next: sign}]
  - name: sign
    ask: May it go out?
    rules: [{condition: approved, next: COMPLETE}, {condition: denied, next: ABORT}]
"""
ENTRIES: list[dict[str, Any]] = [
    {"persona": "writer", "status": "blocked", "content": "On which day?"},
    {"persona": "writer", "content": "On Monday. [DRAFT:1]"},
    {"persona": "critic", "content": "It reads well."},
    {"persona": "judge", "content": "[JUDGE:1]"},
]
ANSWERS: list[Any] = [{"answer": "Monday"}, "approve"]


@pytest.fixture
def counted() -> Iterator[list[str]]:
    """Which sub-steps called the function."""
    calls: list[str] = []

    @flow_function("count-for-test")
    def count(work: Work) -> dict[str, int]:
        calls.append(work.step)
        return {"words": len(work.task.split())}

    yield calls
    forget_function("count-for-test")


def test_functions_called_flows_and_people_are_not_asked_again_either(asked: Counter[str], counted: list[str]) -> None:
    inner, outer = load(INNER), load(OUTER)
    plain = ended(begun(outer, ENTRIES, called={"inner": inner}), ANSWERS)
    assert plain.status == "completed", plain.error
    assert (sum(asked.values()), len(counted)) == (4, 2)
    texts = set(asked)
    asked.clear()
    counted.clear()
    steps = list(Step.objects.filter(_of(plain)).order_by("started_at", "id").values_list("name", flat=True))

    run, answers = begun(outer, ENTRIES, called={"inner": inner}), list(ANSWERS)
    assert die_after_each(run, steps, answers) >= 10
    assert ended(run, answers).output == plain.output
    assert transitions(run) == transitions(plain)
    assert asked == dict.fromkeys(texts, 1)
    assert set(counted) == {"words", "again"}
