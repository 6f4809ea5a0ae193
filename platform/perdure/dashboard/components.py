"""What components in `templates/components/` are given."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Tab:
    """One of a row of tabs; each is an address of its own."""

    label: str
    href: str
    count: int | None = None
    current: bool = False
