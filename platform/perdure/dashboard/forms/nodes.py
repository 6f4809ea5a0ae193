"""The parts of a form that is made from a JSON Schema, as pages show them, and how they are read back as JSON.

Each has a `name`, its fields' names begin with it, and an `origin`: where its value stood in the input that the form
began with, None for what was added since.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django import forms

from perdure.dashboard.forms.schema_fields import SchemaField

Path = tuple[str | int, ...]
ON, NEXT, ROWS, KEY, VALUE = "~on", "~next", "~rows", "~key", "~value"
"""Names of what is no property: none of a property begins with a tilde."""

Cleaned = Mapping[str, Any]
Read = tuple[bool, Any]
"""Whether it goes into the input, and its JSON value."""


def below(name: str, key: str) -> str:
    """The name of what stands below: dots separate, and what a property's own name has of them is spelt."""
    key = key.replace("%", "%25").replace(".", "%2E").replace("~", "%7E")
    return f"{name}.{key}" if name else key


@dataclass
class Leaf:
    """A part with a field of its own."""

    name: str
    made: SchemaField
    origin: Path | None = None
    is_secret: bool = False
    path: Path | None = None
    """Where it stands in the input that was read."""

    kind = "leaf"
    bound: forms.BoundField = field(init=False)

    def fields(self) -> Iterator[tuple[str, forms.Field]]:
        yield self.name, self.made.field

    def attach(self, form: forms.Form) -> None:
        self.bound = form[self.name]

    def leaves(self) -> "Iterator[Leaf]":
        """Those whose values count."""
        yield self

    def all_leaves(self) -> "Iterator[Leaf]":
        yield self

    def read(self, cleaned: Cleaned, path: Path = ()) -> Read:
        self.path = path
        return self.made.to_json(cleaned.get(self.name))

    def field_at(self, _path: list[str]) -> str | None:
        return self.name

    def problems(self, _cleaned: Cleaned) -> Iterator[tuple[str, str]]:
        yield from ()

    def unread(self) -> Iterator[str]:
        """The names of the fields that do not count, because their object is not given."""
        yield from ()


@dataclass
class Group:
    """An object of named properties. An optional one goes into the input if its `toggle` is on."""

    name: str
    title: str
    help: str
    children: "dict[str, Node]"
    toggle: forms.BooleanField | None = None
    is_on: bool = True

    kind = "group"
    bound: forms.BoundField | None = field(init=False, default=None)

    def fields(self) -> Iterator[tuple[str, forms.Field]]:
        if self.toggle is not None:
            yield f"{self.name}.{ON}", self.toggle
        for child in self.children.values():
            yield from child.fields()

    def attach(self, form: forms.Form) -> None:
        self.bound = form[f"{self.name}.{ON}"] if self.toggle is not None else None
        for child in self.children.values():
            child.attach(form)

    @property
    def nodes(self) -> "list[Node]":
        return list(self.children.values())

    def leaves(self) -> Iterator[Leaf]:
        for child in self.children.values() if self.is_on else ():
            yield from child.leaves()

    def all_leaves(self) -> Iterator[Leaf]:
        for child in self.children.values():
            yield from child.all_leaves()

    def read(self, cleaned: Cleaned, path: Path = ()) -> Read:
        if not self.is_on:
            return False, None
        found = {name: child.read(cleaned, (*path, name)) for name, child in self.children.items()}
        return True, {name: value for name, (put, value) in found.items() if put}

    def field_at(self, path: list[str]) -> str | None:
        # A property may have dots in its name, which no message tells from the dots between names.
        for length in range(1, len(path) + 1):
            child = self.children.get(".".join(path[:length]))
            if child is not None:
                return child.field_at(path[length:])
        return f"{self.name}.{ON}" if self.toggle is not None else None

    def problems(self, cleaned: Cleaned) -> Iterator[tuple[str, str]]:
        for child in self.children.values() if self.is_on else ():
            yield from child.problems(cleaned)

    def unread(self) -> Iterator[str]:
        if self.is_on:
            for child in self.children.values():
                yield from child.unread()
        else:
            yield from (name for name, _ in self.fields())


@dataclass
class Row:
    """An item of a list, or an entry with its key. `id` stays the same while rows come and go."""

    id: str
    node: "Node"
    key: Leaf | None = None

    def fields(self) -> Iterator[tuple[str, forms.Field]]:
        if self.key is not None:
            yield from self.key.fields()
        yield from self.node.fields()

    def attach(self, form: forms.Form) -> None:
        if self.key is not None:
            self.key.attach(form)
        self.node.attach(form)


@dataclass
class Rows:
    """A list, or an object whose keys people choose, with a row for each item. A row that was left empty is no item.

    `always` is set where no row at all is a value, and not the job's own default.
    """

    name: str
    title: str
    help: str
    rows: list[Row]
    next_id: int
    is_map: bool
    always: bool
    optional: bool
    blank: Row | None = None
    """What a new row is made from in the browser; its names have `placeholder` in place of the row's id."""

    placeholder: str = ""
    kept: list[Row] = field(default_factory=list)

    kind = "rows"
    bound: forms.BoundField = field(init=False)
    form: forms.Form = field(init=False)

    def fields(self) -> Iterator[tuple[str, forms.Field]]:
        # A field so that messages about the whole list have a place.
        yield f"{self.name}.{NEXT}", forms.IntegerField(required=False, widget=forms.HiddenInput)
        for row in self.rows:
            yield from row.fields()

    def attach(self, form: forms.Form) -> None:
        self.form, self.bound = form, form[f"{self.name}.{NEXT}"]
        for row in self.rows:
            row.attach(form)
        if self.blank is not None:
            empty = forms.Form(prefix=form.prefix, auto_id=form.auto_id)
            empty.fields.update(self.blank.fields())
            self.blank.attach(empty)

    @property
    def rows_name(self) -> str:
        return str(self.form.add_prefix(f"{self.name}.{ROWS}"))

    @property
    def id(self) -> str:
        return f"{self.bound.auto_id}_rows"

    def leaves(self) -> Iterator[Leaf]:
        for row in self.kept:
            yield from row.node.leaves()

    def all_leaves(self) -> Iterator[Leaf]:
        for row in self.rows:
            yield from row.node.all_leaves()

    def read(self, cleaned: Cleaned, path: Path = ()) -> Read:
        self.kept = []
        value: Any = {} if self.is_map else []
        for row in self.rows:
            key: Any = cleaned.get(row.key.name) if row.key is not None else len(self.kept)
            put, item = row.node.read(cleaned, (*path, key))
            if row.key is not None and key:
                value[key] = item if put else ""
                self.kept.append(row)
            elif row.key is None and put:
                value.append(item)
                self.kept.append(row)
        return bool(self.kept) or self.always, value

    def field_at(self, path: list[str]) -> str | None:
        own = f"{self.name}.{NEXT}"
        row = next((row for place, row in enumerate(self.kept) if path and self._is_at(row, place, path[0])), None)
        if row is None:
            return own
        if row.key is not None and path[1:] == ["[key]"]:
            return row.key.name
        return row.node.field_at(path[1:]) or own

    def _is_at(self, row: Row, place: int, key: str) -> bool:
        return str(place if row.key is None else row.key.bound.value()) == key

    def problems(self, cleaned: Cleaned) -> Iterator[tuple[str, str]]:
        seen: set[str] = set()
        for row in self.rows:
            yield from row.node.problems(cleaned)
            if row.key is None:
                continue
            key = cleaned.get(row.key.name) or ""
            if key in seen:
                yield row.key.name, f"{key!r} stands here twice. Give each name once."
            if not key and row.node.read(cleaned)[1] not in (None, "", [], {}, False):
                yield row.key.name, "Give it a name."
            seen.update([key] if key else [])

    def unread(self) -> Iterator[str]:
        for row in self.rows:
            yield from row.node.unread()


Node = Leaf | Group | Rows
