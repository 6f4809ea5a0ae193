"""The form of a signal: a name and a JSON payload."""

import hashlib
import json
import secrets
from typing import Any

from django import forms


class SignalForm(forms.Form):
    """`token` makes a second click the same signal."""

    prefix = "signal"
    name = forms.CharField(max_length=200, widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}))
    payload = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false", "class": "mono"}),
        help_text='JSON, as in {"approved": true}. Nothing means null.',
    )
    token = forms.RegexField(r"^[\w-]{20,64}$", widget=forms.HiddenInput)

    @classmethod
    def fresh(cls, name: str = "") -> "SignalForm":
        return cls(initial={"name": name, "token": secrets.token_urlsafe(24)})

    def clean_payload(self) -> Any:
        text = self.cleaned_data["payload"]
        try:
            return json.loads(text, parse_constant=_refuse) if text else None
        except (ValueError, RecursionError) as exc:
            raise forms.ValidationError(f"This is no JSON: {exc}. Texts stand in double quotes.") from exc

    @property
    def key(self) -> str:
        """The same for a double click; another one after going back and changing a field."""
        sent = json.dumps([self.cleaned_data["name"], self.cleaned_data["payload"]], sort_keys=True)
        return f"form:{self.cleaned_data['token']}:{hashlib.sha256(sent.encode()).hexdigest()[:24]}"


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not in JSON")
