"""Agent flows in the admin: stored, read, never changed."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminTextareaWidget

from flows.agents import stored
from flows.agents.errors import InvalidFlow
from flows.agents.models import FlowDefinition
from runs.errors import RunsError
from runs.jobs import Actor

_EDITOR = {"rows": 20, "spellcheck": "false", "style": "font-family: monospace"}


class FlowForm(forms.ModelForm):  # type: ignore[type-arg]  # Django has no such argument at run time
    class Meta:
        model = FlowDefinition
        fields = ("source",)
        widgets = {"source": UnfoldAdminTextareaWidget(attrs=_EDITOR)}
        labels = {"source": "YAML or JSON"}
        help_texts = {"source": "Name and version are those in the document. A version cannot be changed afterwards."}

    def clean_source(self) -> str:
        text = str(self.cleaned_data["source"])
        try:
            stored.check_free(stored.read(text))
        except InvalidFlow as exc:
            raise forms.ValidationError([problem.told() for problem in exc.problems]) from exc
        except RunsError as exc:
            raise forms.ValidationError(str(exc)) from exc
        return text


@admin.register(FlowDefinition)
class FlowDefinitionAdmin(ModelAdmin):  # type: ignore[misc]  # unfold has no types
    form = FlowForm
    list_display = ("name", "version", "origin", "creator", "created_at", "short_digest")
    list_filter = ("origin", "name")
    list_select_related = ("creator",)
    search_fields = ("name", "version", "digest")
    ordering = ("-id",)
    show_full_result_count = False

    @admin.display(description="Digest")
    def short_digest(self, row: FlowDefinition) -> str:
        return row.digest[:12]

    @admin.display(description="Digest")
    def whole_digest(self, row: FlowDefinition) -> SafeString:
        return format_html('<span style="overflow-wrap: anywhere">{}</span>', row.digest)

    @admin.display(description="Definition")
    def shown_source(self, row: FlowDefinition) -> SafeString:
        return format_html('<pre style="white-space: pre-wrap; overflow-wrap: anywhere">{}</pre>', row.source)

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        if obj is None:
            return ("source",)
        return ("name", "version", "origin", "whole_digest", "creator", "created_at", "shown_source")

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        return ("whole_digest", "shown_source")

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False  # a version stays what it is: runs are pinned to it

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: FlowDefinition, form: Any, change: bool) -> None:
        actor = Actor.of(request.user, address=request.META.get("REMOTE_ADDR", ""))
        made = stored.store(form.cleaned_data["source"], creator=request.user, actor=actor)
        obj.__dict__.update(made.__dict__)
