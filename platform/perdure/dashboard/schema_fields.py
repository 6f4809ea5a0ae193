"""One form field for one property of a JSON Schema, and the way back to JSON."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from django import forms

from perdure.dashboard.schema_reading import Schema, choices_of
from runs.jobs import readable

LONG_TEXT = 1000
_INPUT_TYPES = {"email": "email", "uri": "url"}


@dataclass(frozen=True)
class SchemaField:
    """A form field, where its value stands in the input, and how it becomes JSON."""

    path: tuple[str, ...]
    field: forms.Field
    convert: Callable[[Any], Any]
    required: bool
    group: str = ""
    group_help: str = ""

    def to_json(self, value: Any) -> tuple[bool, Any]:
        """(whether it goes into the input, its JSON value)."""
        if value in (None, "", []) and not (self.required and value is not None):
            return False, None
        return True, self.convert(value)


class JsonField(forms.CharField):
    """Any JSON value as text."""

    widget = forms.Textarea(attrs={"rows": 6, "spellcheck": "false", "data-json": ""})

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as exc:
            raise forms.ValidationError(f"This is not JSON: {exc}. Correct it and send it again.") from exc

    def prepare_value(self, value: Any) -> Any:
        return value if isinstance(value, str) else readable(value)


class LinesField(forms.CharField):
    """A list with one item on each line."""

    widget = forms.Textarea(attrs={"rows": 4})

    def __init__(self, *, item: forms.Field, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.item = item

    def clean(self, value: Any) -> list[Any]:
        lines = [line.strip() for line in super().clean(value).splitlines() if line.strip()]
        cleaned = []
        for number, line in enumerate(lines, start=1):
            try:
                cleaned.append(self.item.clean(line))
            except forms.ValidationError as exc:
                raise forms.ValidationError(f"Line {number}: {' '.join(exc.messages)}") from exc
        return cleaned

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(str(item) for item in value) if isinstance(value, list) else value


def as_initial(field: forms.Field, value: Any) -> Any:
    """A JSON value as the field begins with it."""
    if isinstance(field, forms.MultipleChoiceField):
        return [str(item) for item in value] if isinstance(value, list) else []
    if isinstance(field, forms.ChoiceField):
        return str(value)
    if isinstance(field, forms.DateTimeField) and isinstance(value, str):
        return value.removesuffix("Z")[:19]  # what the browser's own field can show
    return value


def make_field(
    path: tuple[str, ...], part: Schema, required: bool, group: str = "", group_help: str = ""
) -> SchemaField:
    """The field that fits `part`; a field for JSON where none does."""
    needed = required and "default" not in part
    common: dict[str, Any] = {
        "label": part.get("title") or path[-1].replace("_", " ").capitalize(),
        "help_text": part.get("description", ""),
        "required": needed,
        "initial": part.get("default"),
    }
    field, convert = _field_and_convert(part, common)
    return SchemaField(path, field, convert, needed, group, group_help)


def _field_and_convert(part: Schema, common: dict[str, Any]) -> tuple[forms.Field, Callable[[Any], Any]]:
    choices = choices_of(part)
    if choices is not None:
        return _choice(choices, common)
    kind = part.get("type")
    if kind == "boolean":
        return _boolean(part, common)
    if kind == "array":
        return _array(part, common)
    field = scalar_field(part, common)
    return (field, _plain) if field is not None else (JsonField(**common), _plain)


def scalar_field(part: Schema, common: dict[str, Any]) -> forms.Field | None:
    """A field for a number or a string; None for anything else."""
    match part.get("type"):
        case "integer":
            return forms.IntegerField(**common, **_bounds(part))
        case "number":
            return forms.FloatField(
                **common, **_bounds(part), widget=forms.NumberInput(attrs={"step": part.get("multipleOf", "any")})
            )
        case "string":
            return _text(part, common)
        case _:
            return None


def _bounds(part: Schema) -> dict[str, Any]:
    return {
        name: part[key]
        for name, key in (("min_value", "minimum"), ("max_value", "maximum"))
        if isinstance(part.get(key), int | float)
    }


def _text(part: Schema, common: dict[str, Any]) -> forms.Field:
    form = part.get("format", "")
    match form:
        case "date":
            return forms.DateField(**common, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
        case "date-time":
            widget = forms.DateTimeInput(attrs={"type": "datetime-local", "step": 1}, format="%Y-%m-%dT%H:%M:%S")
            common = common | {"help_text": f"{common['help_text']} In UTC.".strip()}
            return forms.DateTimeField(**common, widget=widget)
        case "time":
            return forms.TimeField(**common, widget=forms.TimeInput(attrs={"type": "time", "step": 1}))
    limits: dict[str, Any] = {"min_length": part.get("minLength"), "max_length": part.get("maxLength")}
    if form == "password" or part.get("writeOnly"):
        hidden = forms.PasswordInput(attrs={"autocomplete": "off"})
        return forms.CharField(**common, **limits, strip=False, widget=hidden)
    long = form in ("textarea", "multiline", "markdown") or (part.get("maxLength") or 0) > LONG_TEXT
    if long:
        return forms.CharField(**common, **limits, strip=False, widget=forms.Textarea(attrs={"rows": 6}))
    kind = forms.TextInput(attrs={"type": _INPUT_TYPES.get(form, "text")})
    return forms.CharField(**common, **limits, widget=kind)


def _choice(choices: list[Any], common: dict[str, Any]) -> tuple[forms.Field, Callable[[Any], Any]]:
    by_text = {str(choice): choice for choice in choices}
    options = [(text, text.replace("_", " ")) for text in by_text]
    if not (common["required"] or common["initial"] is not None):
        options.insert(0, ("", "—"))
    return forms.ChoiceField(**common, choices=options), lambda text: by_text[text]


def _boolean(part: Schema, common: dict[str, Any]) -> tuple[forms.Field, Callable[[Any], Any]]:
    common = common | {"required": False}
    if part.get("optional") and part.get("default") is None:
        return forms.NullBooleanField(**common), _plain
    return forms.BooleanField(**common), bool


def _array(part: Schema, common: dict[str, Any]) -> tuple[forms.Field, Callable[[Any], Any]]:
    items = part.get("items") or {}
    choices = choices_of(items)
    if choices is not None:
        by_text = {str(choice): choice for choice in choices}
        field = forms.MultipleChoiceField(
            **common, choices=[(text, text) for text in by_text], widget=forms.CheckboxSelectMultiple
        )
        return field, lambda chosen: [by_text[text] for text in chosen]
    item = scalar_field(items, {"required": True, "help_text": "", "label": "", "initial": None})
    if item is None:
        return JsonField(**common), _plain
    common = common | {"help_text": f"{common['help_text']} One on each line.".strip()}
    return LinesField(**common, item=item), lambda found: [_plain(value) for value in found]


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime | date | time) else value
