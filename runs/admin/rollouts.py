"""Rollouts in the admin: begun and changed in a form, moved forward and back by one action."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextInputWidget

from runs import jobs
from runs.errors import RunsError
from runs.models import Rollout


class RolloutForm(forms.ModelForm):  # type: ignore[type-arg]  # Django has no such argument at run time
    class Meta:
        model = Rollout
        fields = ("job", "version", "base", "percent")
        widgets = {
            "job": UnfoldAdminTextInputWidget,
            "version": UnfoldAdminTextInputWidget,
            "base": UnfoldAdminTextInputWidget,
            "percent": UnfoldAdminIntegerFieldWidget(attrs={"min": 0, "max": 100}),
        }

    def clean(self) -> dict[str, Any]:
        asked = super().clean() or {}
        job = asked.get("job") or self.instance.job
        if not {"version", "base", "percent"} <= set(asked) or not job:
            return asked
        try:
            jobs.check_rollout(job, asked["version"], asked["percent"], asked["base"])
        except RunsError as exc:
            raise forms.ValidationError(str(exc)) from exc
        return asked


@admin.register(Rollout)
class RolloutAdmin(ModelAdmin):  # type: ignore[misc]  # unfold has no types
    form = RolloutForm
    fields = ("job", "version", "base", "percent")
    list_display = ("job", "version", "percent", "base", "changed_at")
    search_fields = ("job",)
    actions = ("send_all", "send_none", "end")

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        return ("job",) if obj is not None else ()

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False  # the action ends a rollout, and says who did

    def has_end_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("runs.delete_rollout"))

    def save_model(self, request: HttpRequest, obj: Rollout, form: Any, change: bool) -> None:
        jobs.set_rollout(obj.job, obj.version, obj.percent, base=obj.base, actor=_actor(request))

    @admin.action(description="Forward: all new runs get the version", permissions=["change"])
    def send_all(self, request: HttpRequest, queryset: QuerySet[Rollout]) -> None:
        self._each(request, queryset, lambda one, actor: _set(one, 100, actor), "sent forward")

    @admin.action(description="Back: no new run gets the version", permissions=["change"])
    def send_none(self, request: HttpRequest, queryset: QuerySet[Rollout]) -> None:
        self._each(request, queryset, lambda one, actor: _set(one, 0, actor), "sent back")

    @admin.action(description="End: new runs get the version registered last", permissions=["end"])
    def end(self, request: HttpRequest, queryset: QuerySet[Rollout]) -> None:
        self._each(request, queryset, lambda one, actor: jobs.end_rollout(one.job, actor=actor), "ended")

    def _each(
        self, request: HttpRequest, rows: QuerySet[Rollout], act: Callable[[Rollout, jobs.Actor], Any], done: str
    ) -> None:
        count = 0
        for one in list(rows):
            try:
                act(one, _actor(request))
                count += 1
            except RunsError as exc:
                self.message_user(request, str(exc), messages.WARNING)
        if count:
            self.message_user(request, f"{count} {done}.", messages.SUCCESS)


def _set(rollout: Rollout, percent: int, actor: jobs.Actor) -> Rollout:
    return jobs.set_rollout(rollout.job, rollout.version, percent, base=rollout.base, actor=actor)


def _actor(request: HttpRequest) -> jobs.Actor:
    return jobs.Actor.of(request.user, address=request.META.get("REMOTE_ADDR", ""))
