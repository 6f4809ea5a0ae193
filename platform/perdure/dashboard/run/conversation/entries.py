"""What a page shows of a conversation: talks, the turns in them, and what each turn called."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

CallState = Literal["planned", "asked", "refused", "denied", "client", "running", "completed", "failed", "cancelled"]
OPEN_CALLS = ("planned", "asked", "running")


@dataclass(frozen=True)
class Spent:
    """What one attempt used; None where nothing was counted. `cost` is in dollars."""

    model: str = ""
    input_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    cost: float | None = None
    is_estimated: bool = False

    @property
    def tokens(self) -> str:
        """ "1,204 tokens in, 350 out"; empty where none were counted."""
        if self.input_tokens is None and self.output_tokens is None:
            return ""
        about = "about " if self.is_estimated else ""
        thought = f" ({self.reasoning_tokens:,} of them reasoning)" if self.reasoning_tokens else ""
        return f"{about}{self.input_tokens or 0:,} tokens in, {self.output_tokens or 0:,} out{thought}"

    @property
    def price(self) -> str:
        """ "$0.0031"; empty without a price."""
        return "" if self.cost is None else f"${self.cost:.2f}" if self.cost >= 1 else f"${self.cost:.4f}"


@dataclass(frozen=True)
class Prompt:
    """What was put to a model, or what somebody said before: `who` is a person, a role or a model.

    `facts` are the fields of a plain input, for people to read in place of its text.
    """

    who: str
    text: str
    role: str = "user"
    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Call:
    """One call that a turn asked for. `step` names its step, `result` is what the model was told of it.

    `approved` holds the arguments that people put in place of the model's, None where they stayed; `question` is the
    id of what they are asked about the call.
    """

    number: int
    name: str
    arguments: Any
    step: str
    state: CallState
    result: str = ""
    approved: Any = None
    question: UUID | None = None

    @property
    def is_final(self) -> bool:
        return self.state not in OPEN_CALLS


@dataclass(frozen=True)
class Discarded:
    """An attempt whose answer does not count; `text` is what is known of it, `problem` why it was thrown away."""

    attempt: int
    outcome: str
    problem: str
    text: str = ""
    spent: Spent = Spent()
    started_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True)
class Turn:
    """One streaming step: what its attempt that counts said, and the attempts that were discarded before."""

    id: int
    step: str
    number: int
    status: str
    attempt: int
    text: str = ""
    reasoning: str = ""
    source: str = ""
    problem: str = ""
    calls: tuple[Call, ...] = ()
    discarded: tuple[Discarded, ...] = ()
    spent: Spent = Spent()
    started_at: datetime | None = None
    finished_at: datetime | None = None

    @property
    def is_final(self) -> bool:
        """Nothing of it can change, unless its run is retried."""
        return self.status in ("completed", "cancelled", "skipped") and all(call.is_final for call in self.calls)


@dataclass(frozen=True)
class Talk:
    """The turns of one chat, in order, after what was asked. `place` says where in the run it stands."""

    chat: str
    title: str
    place: str
    prompts: tuple[Prompt, ...]
    turns: tuple[Turn, ...]
    left_out: int = 0
    """Turns of it before these, which stand on an earlier page."""


@dataclass(frozen=True)
class Conversation:
    """`first` is the id of the first turn's step where there are earlier ones: the page before ends with it."""

    opening: tuple[Prompt, ...]
    talks: tuple[Talk, ...]
    earlier: int = 0
    first: int | None = None

    @property
    def is_empty(self) -> bool:
        return not self.talks
