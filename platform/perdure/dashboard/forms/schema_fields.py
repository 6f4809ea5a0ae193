"""One form field for one part of a JSON Schema, and the way back to JSON."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from django import forms
from django.utils.dateparse import parse_datetime

from perdure.dashboard.forms.content_field import ContentField, encoding_of
from perdure.dashboard.forms.schema_reading import Schema, choices_of, is_secret, items_of, resolve
from runs.jobs import readable

LONG_TEXT = 1000
_INPUT_TYPES = {"email": "email", "uri": "url"}
_LONG_FORMATS = ("textarea", "multiline", "markdown")


@dataclass(frozen=True)
class SchemaField:
    """A form field, and how what it holds becomes JSON."""

    field: forms.Field
    convert: Callable[[Any], Any]
    required: bool

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


class JsonValueField(JsonField):
    """Begins with a JSON value; one that is a text is shown in quotes."""

    def __init__(self, *, initial: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs, initial=None if initial is None else readable(initial))


class TextField(forms.CharField):
    """A text; browsers send lines with CRLF, and JSON has them with LF."""

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        return text.replace("\r\n", "\n") if isinstance(text, str) else text


def make_field(part: Schema, label: str, required: bool, value: Any, root: Schema) -> SchemaField:
    """The field that fits `part`, beginning with `value`; a field for JSON where none does."""
    needed = required and "default" not in part
    common: dict[str, Any] = {
        "label": label,
        "help_text": part.get("description", ""),
        "required": needed,
        "initial": value,
    }
    field, convert = _field_and_convert(part, common, root)
    return SchemaField(field, convert, needed)


def fits_a_field(part: Schema, root: Schema) -> bool:
    """Whether there is a field for it that is not one for JSON."""
    field, _ = _field_and_convert(part, {"label": "", "help_text": "", "required": False, "initial": None}, root)
    return not isinstance(field, JsonField)


def _field_and_convert(part: Schema, common: dict[str, Any], root: Schema) -> tuple[forms.Field, Callable[[Any], Any]]:
    choices = choices_of(part)
    if choices is not None:
        return _choice(choices, part, common)
    items = resolve(items_of(part) or {}, root)
    if choices_of(items) is not None and not items.get("optional"):
        return _several(choices_of(items) or [], common)
    match part.get("type"):
        case "boolean":
            return _boolean(part, common)
        case "integer":
            return forms.IntegerField(**common, **_bounds(part)), _plain
        case "number":
            widget = forms.NumberInput(attrs={"step": part.get("multipleOf", "any")})
            return forms.FloatField(**common, **_bounds(part), widget=widget), _plain
        case "string":
            return _text(part, common), _plain
    return JsonValueField(**common), _plain


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
            return _moment(common)
        case "time":
            return forms.TimeField(**common, widget=forms.TimeInput(attrs={"type": "time", "step": 1}))
    limits: dict[str, Any] = {"min_length": part.get("minLength"), "max_length": part.get("maxLength")}
    encoding = encoding_of(part)
    if encoding is not None:
        return ContentField(**common, **limits, encoding=encoding, accept=part.get("contentMediaType", ""))
    if is_secret(part):
        hidden = forms.PasswordInput(attrs={"autocomplete": "off"})
        return forms.CharField(**common | {"initial": None}, **limits, strip=False, widget=hidden)
    # A field of one line would drop the others without a word.
    if form in _LONG_FORMATS or (part.get("maxLength") or 0) > LONG_TEXT or "\n" in str(common["initial"] or ""):
        return TextField(**common, **limits, strip=False, widget=forms.Textarea(attrs={"rows": 6}))
    kind = forms.TextInput(attrs={"type": _INPUT_TYPES.get(form, "text")})
    return TextField(**common, **limits, widget=kind)


def _moment(common: dict[str, Any]) -> forms.Field:
    widget = forms.DateTimeInput(attrs={"type": "datetime-local", "step": 1}, format="%Y-%m-%dT%H:%M:%S")
    initial, at = common["initial"], None
    with suppress(ValueError):  # a text that is no time is shown as it is
        at = parse_datetime(initial) if isinstance(initial, str) else None
    if at is not None and at.tzinfo is not None:
        initial = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")  # what the browser's own field can show
    help_text = f"{common['help_text']} In UTC.".strip()
    return forms.DateTimeField(**common | {"help_text": help_text, "initial": initial}, widget=widget)


def _choice(choices: list[Any], part: Schema, common: dict[str, Any]) -> tuple[forms.Field, Callable[[Any], Any]]:
    by_text = _by_text(choices)
    options = [(text, text.replace("_", " ")) for text in by_text]
    texts = {_key(value): text for text, value in by_text.items()}
    if len(choices) == 1 and common["required"] and common["initial"] is None:
        common = common | {"initial": choices[0]}
    if not common["required"] and part.get("default") is None:
        options.insert(0, ("", "—"))
    initial = texts.get(_key(common["initial"]), common["initial"])
    return forms.ChoiceField(**common | {"initial": initial}, choices=options), lambda text: by_text[text]


def _several(choices: list[Any], common: dict[str, Any]) -> tuple[forms.Field, Callable[[Any], Any]]:
    by_text = _by_text(choices)
    texts = {_key(value): text for text, value in by_text.items()}
    chosen = common["initial"] if isinstance(common["initial"], list) else []
    initial = [texts[_key(value)] for value in chosen if _key(value) in texts]
    field = forms.MultipleChoiceField(
        **common | {"initial": initial},
        choices=[(text, text.replace("_", " ")) for text in by_text],
        widget=forms.CheckboxSelectMultiple,
    )
    return field, lambda found: [by_text[text] for text in found]


def _by_text(choices: list[Any]) -> dict[str, Any]:
    """The choices by what stands in the page; as JSON where two would look alike, as 1 and "1" do."""
    found = {str(choice): choice for choice in choices}
    return found if len(found) == len(choices) else {json.dumps(choice): choice for choice in choices}


def _key(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)


def _boolean(part: Schema, common: dict[str, Any]) -> tuple[forms.Field, Callable[[Any], Any]]:
    common = common | {"required": False}
    if part.get("optional") and part.get("default") is None:
        return forms.NullBooleanField(**common), _plain
    return forms.BooleanField(**common), bool


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime | date | time) else value
