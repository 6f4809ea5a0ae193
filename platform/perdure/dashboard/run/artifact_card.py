"""What a run has saved, as its page lists it and as a page of its own shows one of them."""

from dataclasses import dataclass
from itertools import groupby

from perdure.dashboard.rendering import MAX_RENDERED
from runs import jobs
from runs.models import Artifact, Run

SHOWN = 100
_AS_TEXT = ("application/json", "application/yaml", "application/xml", "image/svg+xml", "application/javascript")


@dataclass(frozen=True)
class Saved:
    """The newest version of one name, and the numbers of all of them, the newest first."""

    newest: Artifact
    versions: list[int]

    @property
    def is_readable(self) -> bool:
        return is_readable(self.newest)


@dataclass(frozen=True)
class Card:
    saved: list[Saved]
    more: int


@dataclass(frozen=True)
class Shown:
    """One version with its text, None where it is no text or too long, and the numbers of all versions."""

    artifact: Artifact
    versions: list[int]
    text: str | None

    @property
    def as_texts(self) -> list[tuple[str, str]]:
        """As the template of values takes it."""
        return [("", self.text or "")]


def read_artifacts(run: Run) -> Card | None:
    """None for a run that has saved nothing."""
    rows = list(Artifact.objects.filter(run=run).order_by("name", "version"))
    found = [
        Saved(versions[-1], [one.version for one in reversed(versions)])
        for versions in (list(group) for _, group in groupby(rows, key=lambda one: one.name))
    ]
    return Card(found[:SHOWN], max(0, len(found) - SHOWN)) if found else None


def is_readable(artifact: Artifact) -> bool:
    """Whether a page shows its text: as text or by the safe renderer, never as what it claims to be."""
    is_text = artifact.media_type.startswith("text/") or artifact.media_type.partition(";")[0] in _AS_TEXT
    return is_text and artifact.size <= 4 * MAX_RENDERED


def read_artifact(run: Run, name: str, version: int | None) -> Shown:
    """Raises ArtifactNotFound, also where the storage has lost the file."""
    artifact = jobs.artifact(run.id, name, version)
    versions = Artifact.objects.filter(run=run, name=artifact.name).order_by("-version")
    numbers = list(versions.values_list("version", flat=True))
    return Shown(artifact, numbers, _text(artifact) if is_readable(artifact) else None)


def _text(artifact: Artifact) -> str:
    content = jobs.read_artifact(artifact.run_id, artifact.name, artifact.version)
    return content.decode("utf-8", "replace")
