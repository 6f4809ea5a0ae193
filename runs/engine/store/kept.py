"""Secrets that stay while something beside them changes: in a preset, a schedule, or what a fork keeps of a run."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from runs.engine.payload import Payload
from runs.errors import InvalidOption
from runs.models import Preset, Run, Schedule, Step


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


def refuse_to_give_away(
    old: Run, kept: Iterable[Step], changed: Collection[str], starter: Any, *, has_input: bool
) -> None:
    """Beside another input or another result, a secret that somebody else gave could be sent where it does not belong.
    Raises InvalidOption, but for who owns the run."""
    if starter is None or starter.pk == old.owner_id:
        return
    if old.secrets.get("input") and not has_input:
        problem = "would be used beside secrets in the input, which somebody else gave"
        raise InvalidOption("outputs", problem, "Give another input, too, or change no result.")
    holds = next((one.name for one in kept if one.secrets and one.name not in changed), None)
    if holds is not None:
        problem = f"would keep the secrets that {holds!r} recorded for somebody else, beside what is changed"
        raise InvalidOption("step", problem, "Fork from that step or before it, or change nothing.")
