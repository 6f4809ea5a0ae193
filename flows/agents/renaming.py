"""Older names of keys: a document is read with them as with those of today."""

from typing import Any, NamedTuple

from flows.agents.errors import FlowProblem
from flows.documents import Document, Path, dotted

_FLOW = {"max_iterations": "max_steps", "subworkflow": "subflow"}
_STEP = {
    "agent": "persona", "agent_name": "persona_name", "instruction_template": "instruction",
    "permission_mode": "required_permission_mode", "provider": "profile", "args": "with", "vars": "with",
}  # fmt: skip
_PERSONA = {"provider": "profile"}
_PERMISSIONS = {"default": "ask", "acceptEdits": "edit", "bypassPermissions": "full"}


class Renamed(NamedTuple):
    """The document with today's keys, and what each key was called that is renamed."""

    document: Document
    problems: list[FlowProblem]


def renamed(document: Document) -> Renamed:
    """A key under both its names is a problem: which of the two is meant?"""
    work = _Renaming(document)
    value = work.of_flow(document.value)
    return Renamed(Document(value, work.moved(document.lines), work.moved(document.text_lines)), work.problems)


class _Renaming:
    def __init__(self, document: Document) -> None:
        self._old = document
        self._moves: dict[Path, Path] = {}
        self.problems: list[FlowProblem] = []

    def of_flow(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        flow = self._mapping(value, (), _FLOW)
        for key, of_part in (("steps", self._of_step), ("personas", self._of_persona)):
            flow[key] = self._parts(flow[key], (key,), of_part) if key in flow else None
            if flow[key] is None and key not in value:
                del flow[key]
        return flow

    def _parts(self, value: Any, path: Path, of_part: Any) -> Any:
        if isinstance(value, list):
            return [of_part(part, (*path, place)) for place, part in enumerate(value)]
        if isinstance(value, dict):
            return {key: of_part(part, (*path, key)) for key, part in value.items()}
        return value

    def _of_step(self, value: Any, path: Path) -> Any:
        if not isinstance(value, dict):
            return value
        step = self._mapping(value, path, _STEP)
        mode = step.get("required_permission_mode")
        if isinstance(mode, str):
            step["required_permission_mode"] = _PERMISSIONS.get(mode, mode)
        if isinstance(step.get("parallel"), list):
            step["parallel"] = self._parts(step["parallel"], (*path, "parallel"), self._of_step)
        return step

    def _of_persona(self, value: Any, path: Path) -> Any:
        return self._mapping(value, path, _PERSONA) if isinstance(value, dict) else value

    def _mapping(self, value: dict[str, Any], path: Path, names: dict[str, str]) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for key, part in value.items():
            name = names.get(key, key)
            if name in made or (name != key and name in value):
                self._twice(path, key, name)
                continue
            made[name] = part
            if name != key:
                self._moves[*path, key] = (*path, name)
        return made

    def _twice(self, path: Path, key: str, name: str) -> None:
        line = self._old.line_of((*path, key))
        message = f"{key!r} is another name of {name!r}, which stands here too"
        self.problems.append(FlowProblem(message, dotted((*path, key)), line, remedy="Keep one of them."))

    def moved(self, lines: dict[Path, int]) -> dict[Path, int]:
        """The lines, those below a renamed key under its new name too."""
        made = dict(lines)
        for at, line in lines.items():
            for length in range(1, len(at) + 1):
                if (new := self._moves.get(at[:length])) is not None:
                    made[*new, *at[length:]] = line
        return made
