"""Provider profiles in the admin: the same rules and the same writer as over REST."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.forms import ModelForm
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.decorators import display

from flows.llm import profiles
from flows.llm.checks import trouble_of
from flows.llm.errors import InvalidProfile
from flows.llm.models import ProviderProfile
from flows.llm.secrets import read_secret
from flows.llm.spec import ProfileSpec, read_spec
from flows.llm.trying import AUDITED, try_profile
from runs.admin.base import moment
from runs.errors import RunsError
from runs.jobs import Actor
from runs.models import Audit

MAX_TRIED = 4
"""Calls in one request, which a server in front gives up after a minute."""
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


class StateFilter(admin.SimpleListFilter):
    """As far as this process can tell without a call."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: "admin.ModelAdmin[Any]") -> list[tuple[str, str]]:
        return [("ready", "Can be called"), ("fails", "Fails here")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ProviderProfile]) -> QuerySet[ProviderProfile]:
        if self.value() not in ("ready", "fails"):
            return queryset
        failing = [row for row in queryset.values_list("pk", flat=True) if trouble_of(row)]
        return queryset.filter(pk__in=failing) if self.value() == "fails" else queryset.exclude(pk__in=failing)


@admin.register(ProviderProfile)
class ProviderProfileAdmin(ModelAdmin):  # type: ignore[misc]  # unfold has no types
    """Whoever may change profiles says where the workers send their prompts and which of their secrets."""

    form = ProfileForm
    list_display = ("id", "shown_state", "kind", "shown_address", "calls", "shown_secret", "last_try")
    list_filter = (StateFilter, "kind")
    actions = ("try_profiles",)
    change_form_outer_before_template = "admin/llm/what_to_do.html"
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

    def get_queryset(self, request: HttpRequest) -> QuerySet[ProviderProfile]:
        tries = Audit.objects.filter(action=AUDITED, target=OuterRef("pk")).order_by("-id")
        return ProviderProfile.objects.annotate(
            slots_taken=Count("slots"),
            tried=Subquery(tries.values("data")[:1]),
            tried_at=Subquery(tries.values("at")[:1]),
        )

    @display(description="State", label={"ready": "success", "fails": "danger"})  # type: ignore[untyped-decorator]
    def shown_state(self, profile: ProviderProfile) -> tuple[str, str]:
        """As far as this process can tell without a call, and as the last call of an operator went."""
        failed = trouble_of(profile.pk) or (profile.tried or {}).get("error")  # type: ignore[attr-defined]
        return ("fails", "fails") if failed else ("ready", "ready")

    @admin.display(description="Last tried")
    def last_try(self, profile: ProviderProfile) -> SafeString | str:
        told = profile.tried  # type: ignore[attr-defined]
        if not told:
            return "never"
        how = told["error"] or f"answered in {told['seconds']:g} s"
        return format_html("{}, {}", how, moment(profile.tried_at))  # type: ignore[attr-defined]

    @admin.action(description="Call the selected profiles once", permissions=["change"])
    def try_profiles(self, request: HttpRequest, queryset: QuerySet[ProviderProfile]) -> None:
        """A real call of a few tokens from this server, which may lack a secret that the workers have."""
        chosen = list(queryset.values_list("pk", flat=True)[: MAX_TRIED + 1])
        if len(chosen) > MAX_TRIED:
            self.message_user(request, f"Choose {MAX_TRIED} profiles at most.", messages.WARNING)
            return
        for profile_id in chosen:
            tried = try_profile(profile_id, self._actor(request))
            if tried.error:
                self.message_user(request, f"{profile_id}: {tried.error}. {tried.said}", messages.ERROR)
            else:
                said = f"{profile_id} answered in {tried.seconds:g} s: {tried.said or 'nothing'}"
                self.message_user(request, said, messages.SUCCESS)

    @admin.display(description="Model and address")
    def shown_address(self, profile: ProviderProfile) -> str:
        if profile.pk == profiles.DEFAULT and (told := profiles.environment_spec()):
            return f"{told['base_uri']} (PERDURE_PROVIDER_URL)"
        return ", ".join(part for part in (profile.default_model, profile.base_uri) if part) or "-"

    @admin.display(description="Calls")
    def calls(self, profile: ProviderProfile) -> SafeString | str:
        """Calls of a profile without a limit take no slot, so nobody counts them."""
        limit = profile.limits.get("concurrency")
        if not limit:
            return "no limit"
        link = reverse("admin:llm_callslot_changelist", query={"profile__id__exact": profile.pk})
        return format_html('<a href="{}">{}</a> of {} at once', link, profile.slots_taken, limit)  # type: ignore[attr-defined]

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
