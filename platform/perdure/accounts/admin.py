from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.html import format_html
from unfold.admin import ModelAdmin
from unfold.decorators import display

from perdure.accounts.models import ApiToken, OneTimeLink, SignInWindow
from perdure.accounts.tokens import issue_token, revoke
from runs import clock
from runs.jobs import Actor


def _actor(request: HttpRequest) -> Actor:
    return Actor.of(request.user, address=request.META.get("REMOTE_ADDR", ""))


@admin.register(ApiToken)
class ApiTokenAdmin(ModelAdmin):  # type: ignore[misc]  # unfold has no types
    """Tokens are made and revoked here, never changed: a changed one would not be what its log says."""

    list_display = ("name", "prefix", "user", "scope", "state", "created_at", "expires_at", "last_used_at")
    list_filter = ("user", "scope", "revoked_at")
    list_select_related = ("user",)
    search_fields = ("name", "prefix", "user__username")
    fields = ("name", "user", "scope", "expires_at")
    autocomplete_fields = ("user",)
    actions = ("revoke_tokens",)

    @display(description="State", label={"valid": "success", "revoked": "danger", "expired": "warning"})  # type: ignore[untyped-decorator]
    def state(self, token: ApiToken) -> str:
        if token.revoked_at is not None:
            return "revoked"
        return "expired" if token.expires_at is not None and token.expires_at <= clock.now() else "valid"

    @admin.action(description="Revoke the selected tokens", permissions=["delete"])
    def revoke_tokens(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        count = revoke(queryset, _actor(request))
        self.message_user(request, f"{count} revoked. Requests with them are refused from now on.", messages.SUCCESS)

    def get_fields(self, request: HttpRequest, obj: ApiToken | None = None) -> tuple[str, ...]:
        shown = ("prefix", "created_at", "last_used_at", "revoked_at") if obj else ()
        return (*self.fields, *shown)

    def has_change_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        # The action asks without an object; a single token is revoked, not deleted, so that its trace stays.
        return obj is None and super().has_delete_permission(request)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions: dict[str, Any] = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def save_model(self, request: HttpRequest, obj: ApiToken, form: "ModelForm[ApiToken]", change: bool) -> None:
        plain = issue_token(obj, _actor(request))
        note = "Copy the token now; it is shown this once: <code>{}</code>"
        self.message_user(request, format_html(note, plain), messages.WARNING)


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[misc]  # unfold has no types
    """Rows that sign-in makes: looked at and deleted here, never made or changed."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(OneTimeLink)
class OneTimeLinkAdmin(ReadOnlyAdmin):
    list_display = ("user", "created_at", "expires_at", "used_at")
    list_select_related = ("user",)
    exclude = ("digest",)


@admin.register(SignInWindow)
class SignInWindowAdmin(ReadOnlyAdmin):
    """Deleting a window lets its user try again at once."""

    list_display = ("ends_at", "failures")
    exclude = ("key",)
    ordering = ("-ends_at",)
