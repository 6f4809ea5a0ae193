"""The form that answers a question: what is asked for, a comment, and what ties it to what was shown."""

import secrets
from typing import Any

from django import forms

from hitl.answers import MAX_TEXT
from hitl.errors import InvalidAnswer
from hitl.models import Kind, Question
from perdure.dashboard.forms.schema_fields import JsonField
from perdure.dashboard.forms.schema_form import JobForm


class AnswerForm(forms.Form):
    """`digest` names what was shown; `token` makes a second click the same answer."""

    digest = forms.CharField(max_length=64, widget=forms.HiddenInput)
    token = forms.RegexField(r"^[\w-]{20,64}$", widget=forms.HiddenInput)
    comment = forms.CharField(max_length=MAX_TEXT, required=False, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, question: Question, data: Any = None, files: Any = None) -> None:
        fresh = {"digest": question.digest, "token": secrets.token_urlsafe(24)}
        super().__init__(data, initial=fresh, auto_id=f"id_{question.pk.hex}_%s")
        self.question = question
        self.decision = "" if data is None else str(data.get("decision", ""))
        self.value_form = _value_form(question, data, files, required=self.decision != "deny")
        self.is_edited = isinstance(self.value_form, JobForm) and self.value_form.is_edited

    def is_valid(self) -> bool:
        if self.is_edited:
            return False
        own = super().is_valid()
        with_value = self.value_form is not None and self.decision != "deny"
        return own and (not with_value or self.value_form.is_valid())  # type: ignore[union-attr]

    @property
    def has_errors(self) -> bool:
        return bool(self.errors or (self.value_form is not None and self.is_bound and self.value_form.errors))

    @property
    def value(self) -> Any:
        """The value as JSON; None where there is none, or where a tool call was left as it was shown."""
        if self.value_form is None or self.decision == "deny":
            return None
        value = self.value_form.input_value()
        if self.question.kind == Kind.TOOL_CALL and value == (self.question.context or {}).get("arguments"):
            return None
        return value

    @property
    def key(self) -> str:
        return f"form:{self.cleaned_data['token']}"

    def _is_of_value(self, field: str) -> bool:
        return field.startswith("value.") or (field == "value" and isinstance(self.value_form, ArgumentsForm))

    def add_refusal(self, refusal: InvalidAnswer) -> None:
        """Puts each field's message where the field is."""
        own = [one for one in refusal.fields if not self._is_of_value(one["field"])]
        inner = [one | {"field": one["field"].removeprefix("value.")} for one in refusal.fields if one not in own]
        if self.value_form is not None and inner:
            self.value_form.add_input_errors(inner)
        for one in own:
            self.add_error("comment" if one["field"] == "comment" else None, f"{one['field']}: {one['message']}")


class ChoiceForm(forms.Form):
    """One of the question's choices, which may be any JSON values."""

    chosen = forms.ChoiceField(label="Choice", widget=forms.RadioSelect)

    def __init__(self, question: Question, data: Any, required: bool) -> None:
        super().__init__(data, prefix="value", auto_id=f"id_{question.pk.hex}_%s")
        self.choices = question.choices
        field: Any = self.fields["chosen"]
        field.required = required
        field.choices = [(str(place), str(choice)) for place, choice in enumerate(question.choices)]

    @property
    def groups(self) -> list[tuple[str, str, list[forms.BoundField]]]:
        return [("", "", [self["chosen"]])]

    def input_value(self) -> Any:
        return self.choices[int(self.cleaned_data["chosen"])]

    def add_input_errors(self, errors: list[dict[str, str]]) -> None:
        for error in errors:
            self.add_error("chosen", error["message"])


class ArgumentsForm(forms.Form):
    """The arguments of a tool call, to be edited. Folded: they are shown whole beside it."""

    folded_under = "Change the arguments"

    arguments = JsonField()

    def __init__(self, question: Question, data: Any, required: bool) -> None:
        shown = (question.context or {}).get("arguments", {})
        super().__init__(data, prefix="value", initial={"arguments": shown}, auto_id=f"id_{question.pk.hex}_%s")
        self.fields["arguments"].required = required
        self.fields["arguments"].help_text = "JSON. What you change is recorded."

    @property
    def groups(self) -> list[tuple[str, str, list[forms.BoundField]]]:
        return [("", "", [self["arguments"]])]

    def input_value(self) -> Any:
        return self.cleaned_data["arguments"]

    def add_input_errors(self, errors: list[dict[str, str]]) -> None:
        for error in errors:
            place = "" if error["field"] == "value" else f"{error['field']}: "
            self.add_error("arguments", place + error["message"])


def _value_form(
    question: Question, data: Any, files: Any, required: bool
) -> JobForm | ChoiceForm | ArgumentsForm | None:
    if question.kind == Kind.CHOICE:
        return ChoiceForm(question, data, required)
    if question.kind == Kind.TOOL_CALL:
        return ArgumentsForm(question, data, required)
    if question.schema is None:
        return None
    return JobForm(question.schema, data, files, prefix="value", auto_id=f"id_{question.pk.hex}_%s")
