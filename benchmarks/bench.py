"""What a measuring module is given, and how it repeats."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Bench:
    """How thorough this look is, and who stands beside Perdure."""

    quick: bool = False
    peers: tuple[str, ...] = ()
    progress: Callable[[str], None] = field(default=lambda line: None)

    @property
    def repetitions(self) -> int:
        return 2 if self.quick else 5

    def few_or_many(self, few: T, many: T) -> T:
        """The first in a short look, the second in a real one."""
        return few if self.quick else many

    def alternate(
        self,
        measures: Mapping[str, Callable[[], T]],
        *,
        warm: Iterable[Callable[[], object]] = (),
        times: int | None = None,
    ) -> dict[str, list[T]]:
        """Call A, B, A, B ... so that a change of the machine's speed meets all alike; what each returned.

        Those in `warm` are called once before that. `times` at most, if it is given.
        """
        for first in warm:
            first()
        found: dict[str, list[T]] = {name: [] for name in measures}
        repetitions = min(times or self.repetitions, self.repetitions)
        for number in range(repetitions):
            for name, measure in measures.items():
                found[name].append(measure())
                self.progress(f"  {number + 1}/{repetitions} {name}: {found[name][-1]}")
        return found

    def peers_among(self, *names: str) -> tuple[str, ...]:
        """Those of the names that are measured this time."""
        return tuple(name for name in names if name in self.peers)
