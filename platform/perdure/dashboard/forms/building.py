"""From a JSON Schema to the parts of a form, with the rows that the page had, or that the value has."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms

from perdure.dashboard.forms import nodes
from perdure.dashboard.forms.nodes import Group, Leaf, Node, Path, Row, Rows, below
from perdure.dashboard.forms.schema_fields import fits_a_field, make_field
from perdure.dashboard.forms.schema_reading import (
    Schema,
    choices_of,
    is_plain_object,
    is_secret,
    items_of,
    resolve,
    values_of_map,
)

MAX_DEPTH = 8
MAX_FIELDS = 450
"""Rows count as fields. Django takes 1,000 values of a form, and a row's own id is one of them."""
TEMPLATES_DEPTH = 4
"""Deeper lists have no row for the browser to copy: the server adds one."""
EDIT = "~edit"
_ID = re.compile(r"\d{1,6}")
_EDIT = re.compile(r"(?:(?P<add>add) (?P<list>\S+))|(?:remove (?P<of>\S+) (?P<row>\d{1,6}))")
MISSING: Any = object()


class TooLarge(Exception):
    """More fields than a page can have: the input is better given as JSON."""


@dataclass
class Builder:
    """`posted` are all values by name, without the form's prefix; None where nothing was sent yet."""

    root: Schema
    posted: Mapping[str, list[str]] | None = None
    hidden: frozenset[Path] = frozenset()
    made: int = 0
    added: Row | None = None
    """The row that the page asked for by its button."""

    def node(self, part: Schema, name: str, label: str, required: bool, value: Any, origin: Path | None) -> Node:
        """The part of the form for `part`, beginning with `value`, or with its default where that is MISSING."""
        deep = name.count(".") >= MAX_DEPTH
        if value is MISSING:
            value = part.get("default")
        if not deep and choices_of(part) is None:
            if is_plain_object(part) and part["properties"]:
                return self._group(part, name, label, required, value, origin)
            rows = self._rows(part, name, label, required, value, origin)
            if rows is not None:
                return rows
        return self._leaf(part, name, label, required, value, origin)

    def properties(self, part: Schema, name: str, value: Any, origin: Path | None) -> dict[str, Node]:
        """The parts of an object's properties, without those that code alone fills in."""
        value = value if isinstance(value, dict) else {}
        needed = part.get("required", [])
        return {
            key: self.node(
                found, below(name, key), label_of(key, found), key in needed, value.get(key, MISSING), _at(origin, key)
            )
            for key, inner in part["properties"].items()
            if isinstance(inner, dict) and not inner.get("internal")
            for found in [resolve(inner, self.root)]
        }

    def _leaf(self, part: Schema, name: str, label: str, required: bool, value: Any, origin: Path | None) -> Leaf:
        self._count()
        shown = "\n".join(self.posted.get(name, [])) if self.posted is not None else value
        made = make_field(part, label, required, shown if _is_lines(shown) else value, self.root)
        keeps = origin is not None and origin in self.hidden
        if keeps:
            made.field.required = False
            made.field.help_text = f"{made.field.help_text} Leave it empty to keep what it is.".strip()
        return Leaf(name, made, origin, keeps or is_secret(part))

    def _group(self, part: Schema, name: str, label: str, required: bool, value: Any, origin: Path | None) -> Group:
        toggle, is_on = None, True
        if part.get("optional") or not (required or "default" in part):
            is_on = isinstance(value, dict) if self.posted is None else bool(self.posted.get(f"{name}.{nodes.ON}"))
            toggle = forms.BooleanField(required=False, label=f"Give {label}", initial=is_on)
        children = self.properties(part, name, value, origin)
        group = Group(name, label, part.get("description", ""), children, toggle, is_on)
        if not is_on:
            for _, field in group.fields():
                field.required = False
        return group

    def _rows(
        self, part: Schema, name: str, label: str, required: bool, value: Any, origin: Path | None
    ) -> Rows | None:
        inner, is_map = items_of(part), False
        if inner is None:
            inner, is_map = values_of_map(part), True
        if inner is None:
            return None
        inner = resolve(inner, self.root)
        if inner.get("optional") or not self._has_rows(inner, is_map):
            return None
        if is_map:
            given: list[tuple[Any, Any]] = list(value.items()) if isinstance(value, dict) else []
        else:
            given = list(enumerate(value)) if isinstance(value, list) else []
        # One row to begin with, where it counts only if something is typed, or where an item is wanted anyway.
        is_object = is_plain_object(inner) and not is_map
        is_wanted = value is None and required and (is_object or not self._is_structured(inner))
        ids, next_id = self._ids(name, len(given), 1 if is_wanted else 0)
        rows = [self._row(inner, name, one, _given(given, one), origin, is_map) for one in ids]
        if self.posted is not None and self.posted.get(EDIT) == [f"add {name}"] and rows:
            self.added = rows[-1]
        found = Rows(
            name, label, part.get("description", ""), rows, next_id, is_map,
            always=bool(part.get("default")) or (required and "default" not in part),
            optional=not required or "default" in part,
        )  # fmt: skip
        depth = name.count(".")
        if depth < TEMPLATES_DEPTH:
            found.placeholder = f"~new{depth}~"
            blank = Builder(self.root, None, made=self.made)
            found.blank = blank._row(inner, name, found.placeholder, None, None, is_map)
        return found

    def _has_rows(self, inner: Schema, is_map: bool) -> bool:
        if choices_of(inner) is not None:
            return is_map  # those of a list are chosen by their boxes
        if is_plain_object(inner) and inner["properties"]:
            return True
        return (items_of(inner) or values_of_map(inner)) is not None or fits_a_field(inner, self.root)

    def _ids(self, name: str, count: int, least: int) -> tuple[list[str], int]:
        """The rows as they stand in the page, and the id of the next one: none is given twice."""
        if self.posted is None:
            shown = max(count, least)
            return [str(place) for place in range(shown)], shown
        ids = [one for one in self.posted.get(f"{name}.{nodes.ROWS}", []) if _ID.fullmatch(one)]
        said = (self.posted.get(f"{name}.{nodes.NEXT}") or ["0"])[-1]
        next_id = max([int(said) if _ID.fullmatch(said) else 0, *(int(one) + 1 for one in ids)])
        edit = _EDIT.fullmatch((self.posted.get(EDIT) or [""])[-1])
        if edit and edit["list"] == name:
            ids, next_id = [*ids, str(next_id)], next_id + 1
        elif edit and edit["of"] == name:
            ids = [one for one in ids if one != edit["row"]]
        return list(dict.fromkeys(ids)), next_id

    def _row(
        self, inner: Schema, name: str, row_id: str, given: tuple[str | int, Any] | None, origin: Path | None,
        is_map: bool,
    ) -> Row:  # fmt: skip
        self._count()
        at, value = given if given is not None else (None, MISSING)
        place = _at(origin, at) if at is not None else None
        own, label = f"{name}.{row_id}", inner.get("title") or "Item"
        if not is_map:
            return Row(row_id, self.node(inner, own, label, self._is_structured(inner), value, place))
        shown = None if at is None else str(at)
        key = self._leaf({"type": "string"}, f"{own}.{nodes.KEY}", "Name", False, shown, None)
        named = self.posted is not None and bool("".join(self.posted.get(key.name, [])))
        required = self._is_structured(inner) or (named and inner.get("type") != "string")
        return Row(row_id, self.node(inner, f"{own}.{nodes.VALUE}", "Value", required, value, place), key)

    def _is_structured(self, part: Schema) -> bool:
        """Whether a row of it is an item even if nothing was typed."""
        return is_plain_object(part) or items_of(part) is not None or values_of_map(part) is not None

    def _count(self) -> None:
        self.made += 1
        if self.made > MAX_FIELDS and self.posted is None:
            raise TooLarge


def label_of(key: str, part: Schema) -> str:
    return str(part.get("title") or key.replace("_", " ").capitalize())


def _given(given: list[tuple[Any, Any]], row_id: str) -> tuple[Any, Any] | None:
    """The key and the value that the row began with; None for one that was added."""
    place = int(row_id) if _ID.fullmatch(row_id) else len(given)
    return given[place] if place < len(given) else None


def _at(origin: Path | None, key: str | int) -> Path | None:
    return (*origin, key) if origin is not None else None


def _is_lines(value: Any) -> bool:
    return isinstance(value, str) and "\n" in value
