"""`step.save_artifact`: the file is written first; its row, its event and the step's record are one transaction.

A crash in between leaves a file that no row names; clean-up finds it.
"""

from mimetypes import MimeTypes
from os.path import splitext
from typing import Any
from uuid import UUID

from django.db.models import Max

from runs import clock
from runs.conf import get_settings
from runs.engine import files
from runs.engine.payload import Payload, encode
from runs.engine.perform import Performance
from runs.engine.store.transitions import ArtifactRow, StepRow, Transition
from runs.errors import ArtifactTooLarge, InvalidArtifact
from runs.events.types import EventDraft, EventType
from runs.models import Artifact, AttemptOutcome

KIND = "artifact"
MAX_NAME = 100
_TYPES = MimeTypes()  # Python's own, not the machine's
for _ending, _type in {
    ".md": "text/markdown", ".markdown": "text/markdown", ".yaml": "application/yaml", ".yml": "application/yaml",
    ".diff": "text/x-diff", ".patch": "text/x-diff", ".log": "text/plain",
}.items():  # fmt: skip
    _TYPES.add_type(_type, _ending)


def check_name(name: object) -> str:
    """Raises InvalidArtifact for what cannot name an artefact: it becomes part of addresses and of files' names."""
    if not isinstance(name, str) or not 1 <= len(name) <= MAX_NAME or not name.isprintable():
        raise InvalidArtifact(name, f"is no name of 1 to {MAX_NAME} printable characters")
    if "/" in name or "\\" in name or name.startswith("."):
        raise InvalidArtifact(name, "holds a slash or begins with a dot")
    return name


def as_bytes(name: str, content: str | bytes) -> bytes:
    """Raises InvalidArtifact for what is neither text nor bytes, ArtifactTooLarge."""
    if not isinstance(content, str | bytes):
        raise InvalidArtifact(name, f"has {type(content).__name__} for its content, which is neither text nor bytes")
    try:
        data = content.encode() if isinstance(content, str) else content
    except UnicodeEncodeError as exc:
        raise InvalidArtifact(name, "holds a lone surrogate, which is no text") from exc
    limit = get_settings().max_artifact_bytes
    if len(data) > limit:
        raise ArtifactTooLarge(name, len(data), limit)
    return data


def media_type_of(name: str, content: str | bytes, given: str | None) -> str:
    """As given, or by the name's ending, or by what the content is. Raises InvalidArtifact."""
    if given is not None:
        if not 1 <= len(given) <= 100 or not given.isascii() or not given.isprintable() or given.count("/") != 1:
            raise InvalidArtifact(name, f"has {given[:100]!r} for its media type")
        return given
    guessed = _TYPES.guess_type(f"x{splitext(name.lower())[1]}")[0]
    return guessed or ("text/plain" if isinstance(content, str) else "application/octet-stream")


def keep(run_id: UUID, name: str, content: bytes, media_type: str) -> dict[str, Any]:
    """In a thread: write the file. What the row will say of it, and the last version so far."""
    path = files.write(run_id, content)
    last = Artifact.objects.filter(run=run_id, name=name).aggregate(last=Max("version"))["last"] or 0
    return {
        "name": name, "media_type": media_type, "size": len(content), "digest": files.digest_of(content),
        "path": path, "last": last,
    }  # fmt: skip


class Saving(Performance):
    """The attempts of one step that saves an artefact."""

    _saved: ArtifactRow | None = None

    async def _complete(self, value: dict[str, Any], payload: Payload) -> Any:
        """The version is given here, in the loop: two saves of one name may be in their threads at once."""
        versions, name = self._kernel.artifact_versions, value["name"]
        versions[name] = version = max(versions.get(name, 0), value["last"]) + 1
        self._saved = ArtifactRow(
            self._kernel.run_id, name, version, value["media_type"], value["size"], value["digest"], value["path"],
            self.call.name, clock.now(),
        )  # fmt: skip
        told = as_data(self._saved)
        return await super()._complete(told, encode(told, self.where))

    def _ending(self, type_: EventType, data: dict[str, Any], row: StepRow, outcome: AttemptOutcome) -> Transition:
        ending = super()._ending(type_, data, row, outcome)
        if self._saved is None or outcome is not AttemptOutcome.COMPLETED:
            return ending
        *before, end = ending.events
        saved = EventDraft(EventType.ARTIFACT_SAVE, as_data(self._saved), self.call.name, self.attempt.number)
        return ending._replace(events=(*before, saved, end), artifacts=(self._saved,))


def as_data(row: ArtifactRow | Artifact) -> dict[str, Any]:
    """What a step and an event tell of it."""
    return {
        "name": row.name, "version": row.version, "media_type": row.media_type, "size": row.size, "digest": row.digest,
    }  # fmt: skip
