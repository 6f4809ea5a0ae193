"""Two versions of a definition side by side with each other: what was changed."""

from dataclasses import dataclass

from flows.documents.versions import KnownVersion
from perdure.dashboard.definitions.page import source_of, written_out
from perdure.dashboard.diffs.files import unified


@dataclass(frozen=True)
class Change:
    """`text` is a unified diff, None where nothing differs; `is_whole` where not the sources but what they mean is
    compared, because of one only that is left."""

    old: KnownVersion
    new: KnownVersion
    text: str | None
    is_whole: bool


def change_between(name: str, old: KnownVersion, new: KnownVersion) -> Change:
    """What turns `old` into `new`."""
    is_whole = old.text is None or new.text is None
    read = written_out if is_whole else source_of
    return Change(old, new, unified(read(old), read(new), f"{name}.yaml"), is_whole)
