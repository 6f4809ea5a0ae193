"""A Django form made from a job's JSON Schema.

Strings, numbers, booleans, choices, dates, arrays of scalars and one level of nested objects become fields; what
the form cannot express becomes a field for JSON. An optional field left empty is left out of the input, so that
the job's own default applies. A property that is marked `"internal": true` has no field.
"""

from typing import Any

from django import forms

from perdure.dashboard.schema_fields import SchemaField, as_initial, make_field
from perdure.dashboard.schema_reading import Schema, internal_of, is_plain_object, resolve

RAW = "__json__"


class JobForm(forms.Form):
    """The fields of a job's input; `input_value()` is the JSON they make."""

    def __init__(self, schema: Schema, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.schema_fields = fields_of(schema)
        self.internal = internal_of(schema)
        for name, found in self.schema_fields.items():
            self.fields[name] = found.field

    @property
    def groups(self) -> list[tuple[str, str, list[forms.BoundField]]]:
        """(title, description, fields): the input's own fields first, then one group for each nested object."""
        grouped: dict[str, tuple[str, str, list[forms.BoundField]]] = {"": ("", "", [])}
        for name, found in self.schema_fields.items():
            key = found.path[0] if len(found.path) > 1 else ""
            grouped.setdefault(key, (found.group, found.group_help, []))[2].append(self[name])
        return [group for group in grouped.values() if group[2]]

    def input_value(self) -> Any:
        """The input as JSON; call it on a valid form."""
        if RAW in self.schema_fields:
            return self.cleaned_data[RAW]
        value: dict[str, Any] = {}
        for name, found in self.schema_fields.items():
            put, item = found.to_json(self.cleaned_data.get(name))
            if put:
                target = value
                for key in found.path[:-1]:
                    target = target.setdefault(key, {})
                target[found.path[-1]] = item
        return value

    def fill(self, value: Any, hidden: list[list[str | int]]) -> None:
        """Begin with `value`, an input as JSON. What stands at the `hidden` paths may be left empty: it stays."""
        for name, found in self.schema_fields.items():
            here = value if RAW in self.schema_fields else _at(value, found.path)
            if list(found.path) in hidden:
                found.field.required = False
                found.field.help_text = f"{found.field.help_text} Leave it empty to keep what it is.".strip()
            elif here is not None:
                self.initial[name] = as_initial(found.field, here)

    def add_input_errors(self, errors: list[dict[str, str]]) -> None:
        """Puts each `{"field", "message"}` of an InvalidInput at its field, or above the form when there is none."""
        for error in errors:
            name = self._nearest(error["field"])
            self.add_error(name, error["message"] if name else f"{error['field']}: {error['message']}")

    def _nearest(self, path: str) -> str | None:
        if RAW in self.schema_fields:
            return None
        parts = path.split(".")
        candidates = [".".join(parts[:length]) for length in range(len(parts), 0, -1)]
        return next((name for name in candidates if name in self.fields), None)


def _at(value: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def fields_of(schema: Schema) -> dict[str, SchemaField]:
    """Form fields by their dotted path in the input; one JSON field when the input is no plain object."""
    root = resolve(schema, schema)
    if not is_plain_object(root):
        title = root.get("title") or "Input"
        return {RAW: make_field((RAW,), {"title": title, "description": "The input as JSON."}, required=True)}
    found: dict[str, SchemaField] = {}
    for name, part in root.get("properties", {}).items():
        if part.get("internal"):
            continue
        part = resolve(part, schema)
        required = name in root.get("required", [])
        if is_plain_object(part) and required and part.get("properties"):
            found |= _nested(name, part, schema)
        else:
            found[name] = make_field((name,), part, required)
    return found


def _nested(name: str, part: Schema, schema: Schema) -> dict[str, SchemaField]:
    group = part.get("title") or name.replace("_", " ").capitalize()
    return {
        f"{name}.{child}": make_field(
            (name, child), resolve(inner, schema), child in part.get("required", []), group, part.get("description", "")
        )
        for child, inner in part["properties"].items()
    }
