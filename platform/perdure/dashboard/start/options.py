"""What is asked for beside an input: for whom the run or the preset is."""

from typing import Any

from django import forms
from django.contrib.auth.models import Group


class OptionsForm(forms.Form):
    """`token` makes a second click the same run."""

    prefix = "run"
    team = forms.ModelChoiceField(
        Group.objects.none(), required=False, empty_label="Only me", label="Who sees it", help_text="And may act on it."
    )
    preset_name = forms.CharField(label="Name of the preset", max_length=200, required=False)
    token = forms.RegexField(r"^[\w-]{20,64}$", widget=forms.HiddenInput)

    def __init__(self, user: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        teams = user.groups.all()
        self.fields["team"].queryset = teams  # type: ignore[attr-defined]
        if not teams.exists():
            del self.fields["team"]
