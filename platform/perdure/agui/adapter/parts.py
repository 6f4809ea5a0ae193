"""Texts that are told in pieces while they come: what came, and how much of it the client has."""

import binascii
import json
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any, Final

UNKNOWN: Final = "This is no id of an event of this stream. Ask for it from its beginning."


@dataclass(slots=True)
class Part:
    """A text of one attempt, as far as the client was told it: `sent` characters, with this `checksum`.

    `pieces` are those characters, None after a restore: until the frames came once more only their number is known.
    """

    sent: int = 0
    checksum: int = 0
    pieces: list[str] | None = field(default_factory=list)
    was_told: bool = False

    def note_sent(self, delta: str) -> None:
        self.sent += len(delta)
        self.checksum = checksum(delta, self.checksum)
        if self.pieces is not None:
            self.pieces.append(delta)

    @property
    def known(self) -> str:
        return "".join(self.pieces or ())

    @property
    def is_known(self) -> bool:
        return self.pieces is not None or not self.sent

    def rest(self, whole: str) -> str | None:
        """What of the recorded text is still to be told; None if something else was told."""
        begun = whole[: self.sent]
        if len(begun) < self.sent or checksum(begun) != self.checksum:
            return None
        return whole[self.sent :]


def checksum(text: str, before: int = 0) -> int:
    return zlib.crc32(text.encode("utf-8", "replace"), before)


@dataclass(slots=True)
class CallPart:
    """A call of one attempt; `vendor_id` is the vendor's own name for it, `id` is ours."""

    id: str
    vendor_id: str
    name: str
    arguments: Part = field(default_factory=Part)


@dataclass(frozen=True, slots=True)
class WholeCall:
    """A call as it was recorded."""

    id: str
    vendor_id: str
    name: str
    arguments: dict[str, Any]

    @property
    def text(self) -> str:
        return json.dumps(self.arguments, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Whole:
    """An answer as it was recorded. `frames`: how many its attempt sent."""

    text: str = ""
    reasoning: str = ""
    calls: tuple[WholeCall, ...] = ()
    frames: int = 0

    @property
    def is_empty(self) -> bool:
        return not self.text and not self.reasoning and not self.calls


def encode_name(name: str) -> str:
    return urlsafe_b64encode(name.encode("utf-8", "replace")).decode().rstrip("=")


def decode_name(text: str) -> str:
    """Raises ValueError."""
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError) as exc:
        raise ValueError(UNKNOWN) from exc
