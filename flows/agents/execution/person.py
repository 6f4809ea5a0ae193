"""Steps that ask a person. What they decide is the step's label, and what they say its content."""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flows.agents import naming
from flows.agents.execution.aborting import AbortKind, abort
from flows.agents.execution.asking import TEXT_SCHEMA
from flows.agents.execution.outcome import Outcome
from flows.agents.execution.scene import Scene
from flows.agents.execution.units import Performed
from flows.agents.spec import Asking, Step
from hitl.drafts import MAX_TITLE
from hitl.errors import QuestionExpired, QuestionWithdrawn
from hitl.questions import Outcome as Decided
from hitl.questions import ask

EXPIRED = "expired"
_LABELS = {"approve": "approved", "deny": "denied", "submit": "answered"}


@dataclass(slots=True)
class PersonUnit:
    """`work` names the recorded steps of the question."""

    scene: Scene
    step: Step
    work: str
    asked: Asking

    async def prepare(self) -> None:
        return None

    async def perform(self) -> Performed:
        """Raises FlowAborted where the question is withdrawn."""
        repeated = 0
        while True:
            name = naming.part(self.work, naming.USER_INPUT, repeated) if repeated else self.work
            try:
                return Performed(outcome=_outcome(await self._ask(name)))
            except QuestionExpired:
                return Performed(outcome=Outcome(content=EXPIRED, returned=EXPIRED))
            except QuestionWithdrawn:
                kind, reason = AbortKind.USER_INPUT_CANCELLED, "User input cancelled"
                await abort(self.scene, kind, reason, at=self.work, repeated=repeated)
            repeated += 1

    def settle(self, performed: Performed) -> Outcome:
        self.scene.state.answers[self.step.name] = performed.outcome.output
        return performed.outcome

    async def _ask(self, name: str) -> Decided:
        asked = self.asked
        schema = asked.schema_ or (TEXT_SCHEMA if asked.kind == "input" else None)
        deadline = timedelta(seconds=asked.deadline_seconds) if asked.deadline_seconds else None
        title, body = (self.scene.filled(self.step, text) for text in (asked.title, asked.body))
        return await ask(
            self.scene.step, title[:MAX_TITLE], name=name, kind=asked.kind, body=body, schema=schema,
            choices=asked.choices, to=asked.to, quorum=asked.quorum, deadline=deadline,
            starter_may_answer=asked.starter_may_answer, context={"flow": self.scene.flow.name},
        )  # fmt: skip


def _outcome(decided: Decided) -> Outcome:
    value = decided.value
    label = value if decided.decision == "choose" and isinstance(value, str) else _LABELS.get(decided.decision)
    content = "\n".join(part for part in (_said(label, value), decided.comment) if part)
    return Outcome(content=content, returned=label, output=value if value is not None else label)


def _said(label: str | None, value: Any) -> str:
    if isinstance(value, dict) and set(value) == {"answer"}:
        return str(value["answer"])
    if value is None:
        return label or ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
