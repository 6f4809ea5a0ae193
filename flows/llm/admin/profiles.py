"""Provider profiles in the admin: the same rules and the same writer as over REST."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.decorators import display

from flows.llm import profiles
from flows.llm.errors import InvalidProfile
from flows.llm.models import ProviderProfile
from flows.llm.secrets import read_secret
from flows.llm.spec import ProfileSpec, read_spec
from runs.errors import RunsError
from runs.jobs import Actor

SECRET_LABELS = {"set": "success", "missing": "danger", "none": "default"}


class ProfileForm(ModelForm):  # type: ignore[type-arg]
    """Fields as they are stored, checked by the spec."""

    class Meta:
        model = ProviderProfile
        fields = ("id", *ProfileSpec.model_fields)

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        given = {name: values[name] for name in ProfileSpec.model_fields if name in values}
        if self.errors:
            return values
        for name in ("limits", "extra"):
            given[name] = {} if given.get(name) is None else given[name]
        try:
            values["spec"] = read_spec(given)
        except InvalidProfile as exc:
            for field in exc.fields:
                self.add_error(_field(field["field"]), f"{field['field']}: {field['message']}")
        except RunsError as exc:
            raise ValidationError(str(exc)) from exc
        return values


@admin.register(ProviderProfile)
class ProviderProfileAdmin(ModelAdmin):  # type: ignore[misc]  # unfold has no types
    """Whoever may change profiles says where the workers send their prompts and which of their secrets."""

    form = ProfileForm
    list_display = ("id", "kind", "shown_address", "default_model", "concurrency", "shown_secret", "updated_at")
    list_filter = ("kind",)
    search_fields = ("id", "base_uri", "default_model")
    fieldsets = (
        (None, {"fields": ("id", "kind", "base_uri", "default_model")}),
        (
            "Secret",
            {
                "fields": ("api_key_env", "secret_file"),
                "description": "The secret itself is never stored: name where the workers find it.",
            },
        ),
        ("Limits and more", {"fields": ("limits", "extra")}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: ProviderProfile | None = None) -> tuple[str, ...]:
        return ("id",) if obj is not None else ()

    def has_delete_permission(self, request: HttpRequest, obj: ProviderProfile | None = None) -> bool:
        needed = obj is not None and obj.pk == profiles.DEFAULT
        return not needed and bool(super().has_delete_permission(request, obj))

    @admin.display(description="Base URI")
    def shown_address(self, profile: ProviderProfile) -> str:
        if profile.pk == profiles.DEFAULT and (told := profiles.environment_spec()):
            return f"{told['base_uri']} (PERDURE_PROVIDER_URL)"
        return profile.base_uri or "-"

    @admin.display(description="Calls at once")
    def concurrency(self, profile: ProviderProfile) -> str:
        limit = profile.limits.get("concurrency")
        return str(limit) if limit else "no limit"

    @display(description="Secret", label=SECRET_LABELS)  # type: ignore[untyped-decorator]
    def shown_secret(self, profile: ProviderProfile) -> tuple[str, str]:
        """Whether this process finds what is named; the secret itself is shown nowhere."""
        named = profile.api_key_env or profile.secret_file
        if not named:
            return "none", "none"
        try:
            read_secret(profile.pk, read_spec(profiles.spec_values(profile)))
        except RunsError:
            return "missing", f"{named}: not set here"
        return "set", named

    def save_model(self, request: HttpRequest, obj: ProviderProfile, form: Any, change: bool) -> None:
        write = profiles.change_profile if change else profiles.create_profile
        write(obj.pk, form.cleaned_data["spec"], self._actor(request))

    def delete_model(self, request: HttpRequest, obj: ProviderProfile) -> None:
        profiles.delete_profile(obj.pk, self._actor(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[ProviderProfile]) -> None:
        for profile in queryset.exclude(pk=profiles.DEFAULT):
            self.delete_model(request, profile)

    def _actor(self, request: HttpRequest) -> Actor:
        return Actor.of(request.user, address=request.META.get("REMOTE_ADDR", ""))


def _field(name: str) -> str | None:
    first = name.split(".")[0]
    return first if first in ProfileSpec.model_fields else None
