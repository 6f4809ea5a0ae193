"""YAML and JSON as plain values that remember on which line each of them stands."""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from flows.documents.problems import InvalidDocument, Problem

MAX_CHARACTERS = 512 * 1024
MAX_VALUES = 50_000
MAX_DEPTH = 50
_MAX_BRACKETS = 150
_BRACKETS = re.compile(r"[\[\]{}]")

Path = tuple[str | int, ...]


class _Loader(yaml.SafeLoader):
    """YAML as JSON knows it: a date stays the text that it is, and only true and false are booleans."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in pairs if tag.rpartition(":")[2] not in ("timestamp", "bool")]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)


@dataclass
class Document:
    """A value with the line, from 1, of each of its parts."""

    value: Any = None
    lines: dict[Path, int] = field(default_factory=dict)
    text_lines: dict[Path, int] = field(default_factory=dict)
    """Where a text's own first line stands: below the key, if it is a block."""

    def line_of(self, path: Path) -> int:
        """The line of a part, or of the innermost one around it that has one."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 0)


def read(text: str) -> Document:
    """Raises InvalidDocument, naming the line, for what is neither YAML nor JSON, or is too large."""
    if len(text) > MAX_CHARACTERS:
        raise InvalidDocument([Problem(f"the document is longer than {MAX_CHARACTERS} characters")])
    if _nesting(text) > _MAX_BRACKETS:
        raise InvalidDocument([Problem("the document is nested too deeply")])
    try:
        node = yaml.compose(text.replace("\t", " ") if _is_json(text) else text, Loader=_Loader)
    except yaml.YAMLError as exc:
        raise InvalidDocument([_syntax(exc)]) from exc
    except RecursionError as exc:
        raise InvalidDocument([Problem("the document is nested too deeply")]) from exc
    if node is None:
        raise InvalidDocument([Problem("the document is empty", line=1)])
    return _Reader().document(node)


def write(value: Any) -> str:
    """The text of a document that came as a value, for people to read."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def _nesting(text: str) -> int:
    """The deepest level of brackets, those in texts counted too: a parser that recurses is slow to find out."""
    deepest = level = 0
    for found in _BRACKETS.finditer(text):
        level += 1 if found[0] in "[{" else -1
        deepest = max(deepest, level)
    return deepest


def _is_json(text: str) -> bool:
    return text.lstrip().startswith("{")


def _syntax(exc: yaml.YAMLError) -> Problem:
    is_unclosed = "quoted scalar" in str(getattr(exc, "context", ""))  # then it is where the quote begins that helps
    mark = getattr(exc, "context_mark" if is_unclosed else "problem_mark", None)
    said = getattr(exc, "problem", None) or getattr(exc, "reason", None) or str(exc)
    return Problem(f"this is no valid YAML: {said}", line=mark.line + 1 if mark else 0)


class _Reader:
    """Makes the values; aliases cost what they stand for, so that no document grows beyond its limits."""

    def __init__(self) -> None:
        self._made = Document()
        self._values = 0
        self._characters = 0
        self._scalars = _Loader("")

    def document(self, node: yaml.Node) -> Document:
        self._made.value = self._value(node, ())
        return self._made

    def _value(self, node: yaml.Node, path: Path) -> Any:
        line = node.start_mark.line + 1
        self._values += 1
        if self._values > MAX_VALUES or len(path) > MAX_DEPTH:
            raise InvalidDocument([Problem("the document has too many values, or is nested too deeply", line=line)])
        self._count(node, line)
        self._made.lines.setdefault(path, line)
        self._made.text_lines[path] = line + (getattr(node, "style", None) in ("|", ">"))
        if isinstance(node, yaml.MappingNode):
            return dict(self._pairs(node, path))
        if isinstance(node, yaml.SequenceNode):
            return [self._value(part, (*path, index)) for index, part in enumerate(node.value)]
        return self._scalar(node, path)

    def _count(self, node: yaml.Node, line: int) -> None:
        self._characters += len(node.value) if isinstance(node, yaml.ScalarNode) else 0
        if self._characters > MAX_CHARACTERS:
            told = f"the document is longer than {MAX_CHARACTERS} characters with its aliases written out"
            raise InvalidDocument([Problem(told, line=line)])

    def _pairs(self, node: yaml.MappingNode, path: Path) -> Iterator[tuple[str, Any]]:
        seen: set[str] = set()
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            key = key_node.value
            if not isinstance(key_node, yaml.ScalarNode) or not isinstance(key, str):
                raise InvalidDocument([Problem("a key is no text", line=line)])
            if key in seen:
                raise InvalidDocument([Problem(f"the key {key!r} stands here twice", dotted(path), line)])
            seen.add(key)
            self._made.lines[(*path, key)] = line
            yield key, self._value(value_node, (*path, key))

    def _scalar(self, node: yaml.Node, path: Path) -> Any:
        line = node.start_mark.line + 1
        try:
            value = self._scalars.construct_object(node)
        except (yaml.YAMLError, ValueError) as exc:
            raise InvalidDocument([Problem("this value is not understood", dotted(path), line)]) from exc
        if isinstance(value, float) and not math.isfinite(value):
            raise InvalidDocument([Problem("this number is no JSON", dotted(path), line)])
        if value is None or isinstance(value, str | int | float | bool):
            return value
        raise InvalidDocument([Problem("this value is no JSON", dotted(path), line)])


def dotted(path: Path) -> str:
    """A path as people write it: `steps[2].prompt.user`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")
