"""Secrets in the input of a preset or a schedule, when its job is changed and its input stays."""

from dataclasses import dataclass

from runs.engine.payload import Payload
from runs.errors import InvalidOption
from runs.models import Preset, Schedule


@dataclass(frozen=True, slots=True)
class KeptSecrets:
    """Whose colleagues see them as ***: another job or version, which shows them, would tell them in plain."""

    job: str
    paths: list[tuple[str | int, ...]]

    @classmethod
    def of(cls, row: Preset | Schedule) -> "KeptSecrets":
        return cls(row.job, [tuple(path) for path in row.secrets])

    def check(self, job: str, payload: Payload) -> None:
        """Raises InvalidOption where the kept input, encoded as `payload`, is not as safe with `job`."""
        hidden = {tuple(path) for path in payload.secrets}
        if self.paths and (job != self.job or not hidden.issuperset(self.paths)):
            raise InvalidOption("input", "holds secrets that were given to another job", "Give the input, too.")
