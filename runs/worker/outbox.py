"""What one gathering sends: for each reader process one message with the news of all runs that it watches."""

import json
from collections.abc import Iterable, Iterator
from uuid import UUID

from runs.worker.buffers import Frame

MESSAGE_BYTES = 256 * 1024
_FOR_ALL = '"to":null,"truncated":null,"complete":false,"more":false'


class Outbox:
    """Parts by reader; each part is written once for all of them."""

    def __init__(self) -> None:
        self._parts: dict[str, list[str]] = {}

    def put(self, readers: Iterable[str], part: str) -> None:
        for reader in readers:
            self._parts.setdefault(reader, []).append(part)

    def messages(self) -> Iterator[tuple[str, str]]:
        """(reader, text of a message): MESSAGE_BYTES of parts in each, or one part."""
        for reader, parts in self._parts.items():
            size, first = 0, 0
            for place, part in enumerate(parts):
                if size + len(part) > MESSAGE_BYTES and place > first:
                    yield reader, news(parts[first:place])
                    size, first = 0, place
                size += len(part)
            yield reader, news(parts[first:])


def news(parts: Iterable[str]) -> str:
    """A message of these parts."""
    return f'{{"kind":"news","parts":[{",".join(parts)}]}}'


def doorbell_part(run: UUID, last: int) -> str:
    """The run's log goes up to there."""
    return f'{{"kind":"doorbell","run":"{run}","last":{last}}}'


def frames_part(label: str, frames: list[Frame], asked: str = _FOR_ALL) -> str:
    """Frames for all followers of the run, or what `as_asked` says."""
    texts = [f'{{"offset":{offset},"data":{data.decode()},"at":"{at}"}}' for offset, data, at in frames]
    text = ",".join(texts)
    return f'{{{label},"frames":[{text}],"size":{len(text)},{asked}}}'


def as_asked(to: str, truncated: int | None, *, complete: bool, more: bool) -> str:
    """For the follower `to` alone; where its frames begin if later than it asked, whether this is the last part, and
    whether there are more frames than it wanted."""
    about = {"to": to, "truncated": truncated, "complete": complete, "more": more}
    return json.dumps(about, separators=(",", ":"))[1:-1]
