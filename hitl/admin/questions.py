"""Questions in the admin: to be read, and decided through `hitl.answers` like everywhere else."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import TabularInline
from unfold.decorators import display

from hitl.answers import MAX_TEXT, answer
from hitl.models import Answer, Comment, Question
from runs.admin.base import EngineAdmin, ReadOnly, as_json
from runs.errors import RunsError
from runs.jobs import Actor

STATUS_LABELS = {"open": "warning", "answered": "success", "expired": "danger", "withdrawn": "default"}
MAX_DECIDED = 20


class AnswersOfQuestion(ReadOnly, TabularInline):  # type: ignore[misc]  # unfold has no types
    model = Answer
    extra = 0
    fields = ("by_name", "decision", "comment", "at")


class CommentsOfQuestion(ReadOnly, TabularInline):  # type: ignore[misc]
    model = Comment
    extra = 0
    fields = ("by_name", "text", "at")


@admin.register(Question)
class QuestionAdmin(EngineAdmin):
    """Deciding needs the permission to change questions, and to be one of those who may answer."""

    list_display = ("title", "kind", "shown_status", "shown_run", "quorum", "deadline", "created_at", "closed_at")
    list_filter = ("status", "kind", "groups", "created_at")
    list_select_related = ("run",)
    search_fields = ("=id", "title", "=run__id")
    ordering = ("-id",)
    actions = ("approve_questions", "reject_questions")
    inlines = (AnswersOfQuestion, CommentsOfQuestion)
    fields = (
        *("title", "body", "shown_status", "run", "step", "kind", "people", "groups", "delegated_by", "quorum"),
        *("starter_may_answer", "shown_context", "shown_outcome", "shown_choices", "shown_schema", "budget_of"),
        *("deadline", "reminded_at", "shown_escalate_to", "escalate_at", "escalated_at", "created_at", "closed_at"),
        *("digest", "id"),
    )
    readonly_fields = (
        *("shown_status", "shown_schema", "shown_choices", "shown_context", "shown_outcome", "shown_escalate_to"),
    )

    @display(description="Status", ordering="status", label=STATUS_LABELS)  # type: ignore[untyped-decorator]
    def shown_status(self, question: Question) -> str:
        return question.shown_status

    @admin.display(description="Run", ordering="run__job")
    def shown_run(self, question: Question) -> SafeString:
        link = reverse("admin:runs_run_change", args=[question.run_id])
        return format_html('<a href="{}" title="{}">{}</a>', link, question.run_id, question.run.job)

    @admin.display(description="Schema")
    def shown_schema(self, question: Question) -> SafeString:
        return as_json(question.schema)

    @admin.display(description="Choices")
    def shown_choices(self, question: Question) -> SafeString:
        return as_json(question.choices)

    @admin.display(description="Escalates to")
    def shown_escalate_to(self, question: Question) -> str:
        return ", ".join(question.escalate_to) or "-"

    @admin.display(description="Context")
    def shown_context(self, question: Question) -> SafeString:
        return as_json(question.context)

    @admin.display(description="Outcome")
    def shown_outcome(self, question: Question) -> SafeString:
        return as_json(question.outcome)

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("hitl.change_question"))

    @admin.action(description="Approve the selected questions", permissions=["decide"])
    def approve_questions(self, request: HttpRequest, queryset: QuerySet[Question]) -> TemplateResponse | None:
        return self._decide(request, queryset, "approve")

    @admin.action(description="Reject the selected questions", permissions=["decide"])
    def reject_questions(self, request: HttpRequest, queryset: QuerySet[Question]) -> TemplateResponse | None:
        return self._decide(request, queryset, "deny")

    def _decide(self, request: HttpRequest, queryset: QuerySet[Question], decision: str) -> TemplateResponse | None:
        """First a page that shows what is decided and asks for a reason; its digests come back with the decision."""
        chosen = list(queryset.select_related("run")[: MAX_DECIDED + 1])
        if len(chosen) > MAX_DECIDED:
            self.message_user(request, f"Choose {MAX_DECIDED} questions at most, and read them.", messages.WARNING)
            return None
        reason = request.POST.get("reason", "").strip()
        wrong = "reason" in request.POST and (not reason or len(reason) > MAX_TEXT)
        if "reason" not in request.POST or wrong:
            return self._ask_for_reason(request, chosen, decision, wrong)
        self._answer_each(request, chosen, decision, reason)
        return None

    def _ask_for_reason(
        self, request: HttpRequest, chosen: list[Question], decision: str, wrong: bool
    ) -> TemplateResponse:
        verb = "Approve" if decision == "approve" else "Reject"
        context: dict[str, Any] = self.admin_site.each_context(request) | {
            "title": f"{verb} {len(chosen)} question{'s' if len(chosen) > 1 else ''}",
            "opts": self.model._meta,
            "questions": [(question, as_json(question.context)) for question in chosen],
            "action": request.POST["action"],
            "checkbox": ACTION_CHECKBOX_NAME,
            "wrong": wrong,
        }
        return TemplateResponse(request, "admin/hitl/decide.html", context)

    def _answer_each(self, request: HttpRequest, chosen: list[Question], decision: str, reason: str) -> None:
        actor = Actor.of(request.user, address=request.META.get("REMOTE_ADDR", ""))
        for question in chosen:
            digest = request.POST.get(f"digest-{question.pk}", "")
            try:
                answer(question.pk, request.user, decision, comment=reason, digest=digest, actor=actor)
            except RunsError as exc:
                self.message_user(request, str(exc), messages.WARNING)
            else:
                self.message_user(request, f"{question.title}: your answer counts.", messages.SUCCESS)
