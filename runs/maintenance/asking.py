"""What a person asks of a clean-up on a page: nothing goes that the page has not shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from runs import jobs
from runs.maintenance.retention import REQUEST_SECONDS, Pruned, parse_age, prune


@dataclass(frozen=True, slots=True)
class Asked:
    """The fields of the form. `seen` is the question that the page answered before, `decided` that it may be done."""

    older_than: str = ""
    job: str = ""
    seen: str | None = None
    decided: bool = False

    @classmethod
    def of(cls, form: Mapping[str, str]) -> Self:
        older_than, job = form.get("older_than", "").strip(), form.get("job", "").replace("\0", "").strip()
        return cls(older_than, job, form.get("seen"), form.get("do") == "prune")

    @property
    def question(self) -> str:
        return f"{self.older_than} {self.job}"

    def carry_out(self, actor: jobs.Actor) -> Pruned:
        """Remove what was shown; show it where that has not happened. Raises InvalidOption, JobNotFound."""
        age = parse_age(self.older_than) if self.older_than else None
        only_show = not self.decided or self.seen != self.question
        return prune(age, self.job or None, only_show, seconds=REQUEST_SECONDS, actor=actor)


def sentence(pruned: Pruned) -> str:
    """What was done, for a person."""
    text = f"{pruned.runs} runs deleted, {pruned.trimmed} more lost their history; {pruned.events} events removed."
    return text if pruned.complete else f"{text} There is more: clean up again."
