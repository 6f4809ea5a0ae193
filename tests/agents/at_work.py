"""A job whose steps are agents at work, one after the other, as the loop of a flow calls them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter

from flows.agents import spec
from flows.agents.calls import AgentCall, Answer
from flows.agents.performing.agents import perform
from flows.agents.performing.sessions import Sessions
from providers.scripted.entries import entries_of
from runs import jobs
from runs.jobs import StepContext, job
from runs.models import Run, Step
from runs.testing import drain

ANSWERS = TypeAdapter(list[Answer])
Works = Callable[..., Run]


@dataclass
class Stage:
    """What `flows.agents.calls.Scene` asks for."""

    step: StepContext
    flow: spec.Flow
    folder: str = ""
    language: str = "en"


@dataclass
class Play:
    """Steps in order, and what each is answered with: scripted entries, or what the default profile says."""

    steps: Sequence[spec.Step]
    entries: Sequence[dict[str, Any]] | None = None
    folder: str = ""
    language: str = "en"
    personas: dict[str, spec.Persona] = field(default_factory=dict)
    instruction: str = "Do it."

    async def __call__(self, step: StepContext) -> list[dict[str, Any]]:
        flow = spec.Flow(
            name="f", initial_step=self.steps[0].name, steps=tuple({one.name: one for one in self.steps}.values())
        )
        stage, sessions, answers = Stage(step, flow, self.folder, self.language), Sessions(), list[Answer]()
        entries = entries_of(list(self.entries)) if self.entries is not None else [None] * len(self.steps)
        for number, (one, entry) in enumerate(zip(self.steps, entries, strict=True), 1):
            persona = self.personas.get(one.persona or "", spec.Persona())
            async with sessions.held(one) as held:
                call = AgentCall(
                    scene=stage, name=f"{number}. {one.name}", step=one, persona=persona,
                    system="You are tested.", instruction=self.instruction, session=held.session, entry=entry,
                )  # fmt: skip
                answer = await perform(call)
                held.session = answer.session
            answers.append(answer)
        return ANSWERS.dump_python(answers, mode="json")

    def start(self, **options: Any) -> Run:
        @job("at-work")
        async def at_work(step: StepContext) -> list[dict[str, Any]]:
            return await self(step)

        run = jobs.start("at-work", **options).run
        drain()
        return jobs.get(run.id)

    def answers(self) -> list[Answer]:
        run = self.start()
        return answers_of(run)


def answers_of(run: Run) -> list[Answer]:
    assert run.status == "completed", run.error
    return ANSWERS.validate_python(run.output)


def step_names(run: Run | None = None) -> list[str]:
    rows = Step.objects.order_by("id") if run is None else Step.objects.filter(run=run).order_by("id")
    return list(rows.values_list("name", flat=True))
