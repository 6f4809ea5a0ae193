"""A Django form made from a JSON Schema: of a job's input, or of what a question asks for.

Strings, numbers, booleans, choices, dates, files, objects within objects, lists and maps become fields; what the form
cannot express becomes a field for JSON. An optional field left empty is left out of the input, so that the job's own
default applies. A property that is marked `"internal": true` has no field.

Without scripts rows are added and removed by the server: a button posts `~edit`, and the form `is_edited`: it holds
what was typed, is not valid, and has no errors. It is shown again.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.forms.utils import ErrorDict
from django.http import QueryDict

from perdure.dashboard.forms import nodes
from perdure.dashboard.forms.building import EDIT, MISSING, Builder, TooLarge, label_of
from perdure.dashboard.forms.comparing import is_same
from perdure.dashboard.forms.nodes import Group, Leaf, Node, Path
from perdure.dashboard.forms.schema_fields import make_field
from perdure.dashboard.forms.schema_reading import Schema, internal_of, is_plain_object, resolve

RAW = "__json__"


class JobForm(forms.Form):
    """The fields of an input; `input_value()` is the JSON they make.

    It begins with `value`, an input as JSON. What stands at the `hidden` paths of it may be left empty: it stays.
    """

    def __init__(
        self, schema: Schema, data: Any = None, files: Any = None, *, value: Any = MISSING,
        hidden: Iterable[list[str | int]] = (), **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(data, files if data is not None else None, **kwargs)
        self.internal = internal_of(schema)
        self.schema = schema
        posted = _posted(data, files, self.prefix)
        self.is_edited = posted is not None and EDIT in posted
        builder = Builder(schema, posted, frozenset(tuple(path) for path in hidden))
        self.tree = _build(builder, value)
        self.is_raw = isinstance(self.tree, Leaf) and self.tree.name == RAW
        self.fields.update(self.tree.fields())
        self.tree.attach(self)
        if builder.added is not None:
            self._begin(builder.added)

    def _begin(self, row: nodes.Row) -> None:
        """A row that the server has added begins with its defaults, though the form around it was sent."""
        shown = forms.Form(prefix=self.prefix)
        shown.fields.update(row.fields())
        data: Any = self.data
        data = data.copy()
        for field in shown:
            data.setlist(field.html_name, _sent(field))
        self.data = data

    @property
    def nodes(self) -> list[Node]:
        """What a page shows of it, in order."""
        return self.tree.nodes if isinstance(self.tree, Group) else [self.tree]

    @property
    def edit_name(self) -> str:
        """The name of the buttons that add and remove rows."""
        return str(self.add_prefix(EDIT))

    def full_clean(self) -> None:
        """Of a form that is edited there is nothing to complain about yet."""
        if self.is_edited:
            self._errors, self.cleaned_data = ErrorDict(), {}
            return
        super().full_clean()

    def is_valid(self) -> bool:
        return not self.is_edited and super().is_valid()

    def clean(self) -> dict[str, Any]:
        for name in self.tree.unread():
            self._errors.pop(name, None)
        for name, message in list(self.tree.problems(self.cleaned_data)):
            self.add_error(name, message)
        return self.cleaned_data

    def input_value(self) -> Any:
        """The input as JSON; call it on a valid form."""
        if self.is_raw:
            return self.cleaned_data[RAW]
        return self.tree.read(self.cleaned_data)[1]

    def typed_value(self) -> Any:
        """The input as far as it was typed, without secrets; what is wrong in it is left out."""
        self.full_clean()
        if self.is_raw:
            return self.cleaned_data.get(RAW)
        secret = {leaf.name for leaf in self.tree.all_leaves() if leaf.is_secret}
        shown = {name: value for name, value in self.cleaned_data.items() if name not in secret}
        return self.tree.read(shown)[1]

    def holds(self, value: Any) -> bool:
        """Whether the form, sent as it is shown, gives `value` back: not all that JSON can say fits into fields."""
        again = JobForm(self.schema, self.as_sent(), prefix=self.prefix)
        return not self.is_raw and is_same(again.typed_value(), value, self.schema)

    def place_of(self, origin: list[str | int]) -> Path | None:
        """Where what stood at `origin` stands in the input that was read; None where its row was removed."""
        path = tuple(origin)
        if self.is_raw:
            return path
        for leaf in self.tree.leaves():
            if leaf.path is not None and leaf.origin is not None and path[: len(leaf.origin)] == leaf.origin:
                return leaf.path + path[len(leaf.origin) :]
        return None

    def add_input_errors(self, errors: list[dict[str, str]]) -> None:
        """Puts each `{"field", "message"}` of an InvalidInput at its field, or above the form when there is none."""
        for error in errors:
            name = None if self.is_raw else self.tree.field_at(error["field"].split("."))
            self.add_error(name, error["message"] if name else f"{error['field']}: {error['message']}")

    def as_sent(self) -> QueryDict:
        """What a browser would send of it as it is shown, unbound: without what was never shown."""
        data = QueryDict(mutable=True)
        for field in self:
            data.setlist(field.html_name, _sent(field))
        for name, rows in _rows_in(self.tree):
            data.setlist(self.add_prefix(name), rows)
        return data


def _build(builder: Builder, value: Any) -> Node:
    root = resolve(builder.root, builder.root)
    if is_plain_object(root):
        try:
            return Group("", "", "", builder.properties(root, "", None if value is MISSING else value, ()))
        except TooLarge:
            pass
    part = {"title": root.get("title") or "Input", "description": "The input as JSON."}
    shown = None if value is MISSING else value
    return Leaf(RAW, make_field(part, label_of("", part), True, shown, builder.root), ())


def _posted(data: Any, files: Any, prefix: str | None) -> Mapping[str, list[str]] | None:
    """All values by the names of the form's own fields. A file that was sent counts as sent."""
    if data is None:
        return None
    start = f"{prefix}-" if prefix else ""
    lists = data.lists() if hasattr(data, "lists") else ((name, [value]) for name, value in data.items())
    return {name.removeprefix(start): list(values) for name, values in lists if name.startswith(start)}


def _sent(field: forms.BoundField) -> list[str]:
    """The values that a browser sends of a field as it is shown."""
    value, widget = field.value(), field.field.widget
    if isinstance(widget, forms.CheckboxSelectMultiple):
        return [str(one) for one in value or []]
    if isinstance(widget, forms.CheckboxInput):
        return ["on"] if value else []
    if isinstance(widget, forms.NullBooleanSelect):
        return [str(widget.format_value(value))]
    shown = widget.format_value(value)
    shown = shown[0] if isinstance(shown, list) else shown
    return ["" if shown is None else str(shown)]


def _rows_in(node: Node) -> Iterable[tuple[str, list[str]]]:
    if isinstance(node, nodes.Rows):
        yield f"{node.name}.{nodes.ROWS}", [row.id for row in node.rows]
        yield f"{node.name}.{nodes.NEXT}", [str(node.next_id)]
        for row in node.rows:
            yield from _rows_in(row.node)
    for child in node.nodes if isinstance(node, Group) else ():
        yield from _rows_in(child)
