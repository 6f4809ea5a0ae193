"""Runs of flows in tests: from YAML and a scenario to what a run came to."""

from dataclasses import dataclass
from typing import Any

from flows.agents.loader import load
from flows.agents.starting import start
from hitl.answers import answer
from hitl.models import Question, QuestionStatus
from runs import jobs
from runs.models import Event, Run
from runs.testing import drain, run_to_end
from tests.pipelines.people import member

Entries = list[dict[str, Any]]


@dataclass(frozen=True)
class Came:
    """What a run came to."""

    run: Run
    told: dict[str, Any]

    @property
    def path(self) -> list[str]:
        return list(self.told["path"])

    @property
    def matched(self) -> list[tuple[str, str | None, str]]:
        return [(one["step"], one["condition"], one["method"]) for one in self.told["matched"]]


def begin(text: str, scenario: Entries | None, task: str = "do it", *called: str, **options: Any) -> Run:
    """A run of a flow that stands in no catalogue, owned by ann, with her team."""
    owner = member("ann", "team")
    flows = {flow.name: flow for flow in (load(one) for one in called)}
    started = start(load(text), task, scenario=scenario, called=flows, owner=owner, team=owner.groups.get(), **options)
    return started.run


def ended(text: str, scenario: Entries | None, task: str = "do it", *called: str, **options: Any) -> Came:
    return came(run_to_end(begin(text, scenario, task, *called, **options)))


def came(run: Run) -> Came:
    run = jobs.get(run.id)
    return Came(run, jobs.query(run.id, "flow"))


def open_question(run: Run) -> Question:
    drain()
    return Question.objects.get(run=run, status=QuestionStatus.OPEN)


def say(run: Run, decision: str, value: Any = None) -> Question:
    """Ann answers what the run asks now."""
    question = open_question(run)
    answer(question.id, member("ann", "team"), decision, value=value, digest=question.digest)
    return question


def events(run: Run, type_: str) -> list[dict[str, Any]]:
    return list(Event.objects.filter(run=run, type=type_).order_by("sequence").values_list("data", flat=True))
