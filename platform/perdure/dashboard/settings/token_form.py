"""The form that makes an API token."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib.auth.models import User

from perdure.accounts.models import ApiToken, Scope
from perdure.accounts.tokens import living_tokens
from runs import clock

MOST_TOKENS = 50
"""Of one person at a time: more than anybody keeps track of, and a bound for a program that makes them in a loop."""

FOR_EVER = "0"
LIFETIMES = [
    ("7", "7 days"),
    ("30", "30 days"),
    ("90", "90 days"),
    ("365", "1 year"),
    (FOR_EVER, "Until it is revoked"),
]


class TokenForm(forms.Form):
    """A name that no other token of the person has, so that a form that is sent again makes no second one."""

    name = forms.CharField(
        max_length=ApiToken._meta.get_field("name").max_length,
        help_text="What will use it, as in ci or backup of the shop.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    scope = forms.ChoiceField(
        label="It may do",
        choices=[
            (Scope.READ, "Only read: look at what you may see, change nothing"),
            (Scope.FULL, "Everything that you may do"),
        ],
        initial=Scope.READ,
        widget=forms.RadioSelect,
    )
    lifetime = forms.ChoiceField(label="It is valid for", choices=LIFETIMES, initial="90")

    def __init__(self, user: User, data: Any = None) -> None:
        super().__init__(data)
        self.user = user

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if living_tokens(self.user).filter(name=name).exists():
            raise forms.ValidationError("You have a token of this name. Revoke that one, or use another name.")
        return name

    def clean(self) -> dict[str, Any]:
        if living_tokens(self.user).count() >= MOST_TOKENS:
            raise forms.ValidationError(f"You have {MOST_TOKENS} tokens. Revoke one that nothing uses.")
        return super().clean() or self.cleaned_data

    @property
    def expires_at(self) -> datetime | None:
        days = self.cleaned_data["lifetime"]
        return None if days == FOR_EVER else clock.now() + timedelta(days=int(days))
