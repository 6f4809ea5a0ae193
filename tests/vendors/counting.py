"""What was asked and when: every call, and how many there were at once."""

import time
from collections import defaultdict
from dataclasses import asdict, dataclass, field
from typing import Any

from tests.vendors.prompts import Body, Prompt

ACTIVE = "active"
ANSWERED = "answered"
ABANDONED = "abandoned"


@dataclass
class Call:
    """`outcome`: active, answered, abandoned (the client left), or the fault that it met.

    `sent` counts the pieces of a stream; `started` and `ended` are seconds of this process's monotonic clock.
    """

    number: int
    wire: str
    operation: str
    model: str
    stream: bool
    user_text: str
    turn: int
    images: int
    digest: str
    body: Body
    path: str
    key_tail: str
    started: float
    ended: float | None = None
    outcome: str = ACTIVE
    status: int | None = None
    sent: int = 0
    prefill: str = ""


@dataclass
class Tally:
    calls: int = 0
    now: int = 0
    most_at_once: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)

    def begin(self) -> None:
        self.calls += 1
        self.now += 1
        self.most_at_once = max(self.now, self.most_at_once)

    def end(self, outcome: str) -> None:
        self.now -= 1
        self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1


class Ledger:
    """All calls since the last reset."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self._all = Tally()
        self._models: defaultdict[str, Tally] = defaultdict(Tally)

    def begin(self, prompt: Prompt, path: str, key: str) -> Call:
        """The call counts from here until `end`."""
        call = Call(
            len(self.calls) + 1, prompt.wire, prompt.operation, prompt.model, prompt.stream, prompt.user_text,
            prompt.turn, prompt.images, prompt.digest, prompt.body, path, key[-4:], time.monotonic(),
            prefill=prompt.prefill,
        )  # fmt: skip
        self.calls.append(call)
        self._all.begin()
        self._models[prompt.model].begin()
        return call

    def end(self, call: Call, outcome: str) -> None:
        """The first word counts: a client that leaves a call which has ended changes nothing."""
        if call.outcome == ACTIVE:
            call.outcome, call.ended = outcome, time.monotonic()
            self._all.end(outcome)
            self._models[call.model].end(outcome)

    def stats(self) -> dict[str, Any]:
        """`repeated`: the numbers of calls that asked the same and were all answered to the end."""
        answered: defaultdict[str, list[int]] = defaultdict(list)
        for call in self.calls:
            if call.outcome == ANSWERED:
                answered[call.digest].append(call.number)
        repeated = [numbers for numbers in answered.values() if len(numbers) > 1]
        models = {model: asdict(tally) for model, tally in self._models.items()}
        return {**asdict(self._all), "models": models, "repeated": repeated}
