"""What a call asks, in the same shape whichever wire it came over."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Body = dict[str, Any]

# Whether and how an answer is streamed does not change what was asked.
_HOW_TO_ANSWER = {"stream", "stream_options", "user", "metadata", "keep_alive"}


class BadBody(Exception):
    """The body is not what the vendor takes: answered with the wire's own 400."""


@dataclass(frozen=True)
class Turn:
    """One message of the conversation. `role` is system, user, assistant or tool."""

    role: str
    text: str = ""
    images: int = 0


@dataclass(frozen=True)
class Prompt:
    """One call. `prefill` is the beginning of the answer, which the model is to go on after."""

    wire: str
    operation: str
    model: str
    body: Body
    turns: tuple[Turn, ...] = ()
    stream: bool = False
    tools: Mapping[str, Body] = field(default_factory=dict)
    forced_tool: str = ""
    schema: Body | None = None
    prefill: str = ""
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    key_shown: str = ""

    @property
    def user_text(self) -> str:
        """The last that the user said; of an embedding or an image: what is to be embedded or drawn."""
        if self.texts:
            return "\n".join(self.texts)
        return next((turn.text for turn in reversed(self.turns) if turn.role == "user"), "")

    @property
    def role(self) -> str:
        """Who spoke last."""
        return self.turns[-1].role if self.turns else "user"

    @property
    def turn(self) -> int:
        """1 where the model answers the user, 2 after its first tool calls, and so on."""
        asked = max((at for at, turn in enumerate(self.turns) if turn.role == "user"), default=0)
        answers = sum(turn.role == "assistant" for turn in self.turns[asked:])
        return 1 + answers - bool(self.prefill)

    @property
    def images(self) -> int:
        return sum(turn.images for turn in self.turns)

    @property
    def digest(self) -> str:
        """SHA-256 of what was asked of which model: equal where a call is repeated."""
        asked = {key: value for key, value in self.body.items() if key not in _HOW_TO_ANSWER}
        return hashlib.sha256(json.dumps([self.operation, asked], sort_keys=True).encode()).hexdigest()

    @property
    def input_tokens(self) -> int:
        texts = [*self.texts, *(turn.text for turn in self.turns)]
        return sum(tokens(text) for text in texts) + 100 * self.images


def tokens(text: str) -> int:
    """How many tokens a text counts for: four characters are one."""
    return -(-len(text) // 4)
