"""How a follower asks the driver of its run for frames that it lacks."""

from uuid import UUID, uuid4

from runs import clock
from runs.live.reads import fetch_epoch
from runs.live.streams import Missing
from runs.live.watcher import Watcher

ASK_SECONDS = 0.15
_ASK_SECONDS_AT_MOST = 2.0
_FIRST_ASKS = (0.0, 0.3, 1.5)
"""When a new connection asks for the attempts that are open, until somebody answers."""


class Asking:
    """The questions of one connection. Answers carry its name, since all of its process hear them."""

    __slots__ = ("_asked_at", "_began_at", "_delay", "_first_asks", "_run_id", "_watcher", "name")

    def __init__(self, watcher: Watcher, run_id: UUID) -> None:
        self.name = uuid4().hex
        self._watcher = watcher
        self._run_id = run_id
        self._first_asks: tuple[float, ...] = _FIRST_ASKS
        self._began_at = clock.monotonic()
        self._asked_at = 0.0
        self._delay = ASK_SECONDS

    def answered(self) -> None:
        """A driver has told which attempts are open."""
        self._first_asks = ()

    def frames_came(self) -> None:
        self._delay = ASK_SECONDS

    def seconds_to_first(self) -> float | None:
        """Until the next question of a new connection; None when there is none left."""
        return self._began_at + self._first_asks[0] - clock.monotonic() if self._first_asks else None

    async def ask_first(self) -> None:
        if self._first_asks and clock.monotonic() - self._began_at >= self._first_asks[0]:
            self._first_asks = self._first_asks[1:]
            await self._request(step=None, epoch=None, attempt=None, offset=0)

    async def ask(self, missing: Missing) -> None:
        """Asking again at once would only repeat an answer that is on its way, so the pauses grow until frames come."""
        if clock.monotonic() - self._asked_at < self._delay:
            return
        self._asked_at = clock.monotonic()
        self._delay = min(self._delay * 2, _ASK_SECONDS_AT_MOST)
        epoch = missing.epoch
        if epoch is None:
            epoch = await self._watcher.read(fetch_epoch, self._run_id, missing.step, missing.attempt)
        if epoch is not None:
            await self._request(step=missing.step, epoch=epoch, attempt=missing.attempt, offset=missing.offset)

    async def _request(self, *, step: str | None, epoch: int | None, attempt: int | None, offset: int) -> None:
        whose = {"to": self.name, "run": str(self._run_id)}
        await self._watcher.request(whose | {"step": step, "epoch": epoch, "attempt": attempt, "offset": offset})
