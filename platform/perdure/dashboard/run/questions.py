"""The Questions tab: what a run asks people, and what it asked."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from perdure.dashboard.inbox.question_page import read_question_page
from perdure.dashboard.run.frame import read_frame, show_tab

SHOWN = 100


@require_safe
@login_required
@never_cache
def show_questions(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Open ones with their forms, then the others, the newest first."""
    frame = read_frame(request, run_id, "questions")
    found = list(frame.run.questions.order_by("-id").select_related("run")[: SHOWN + 1])
    pages = [read_question_page(question, request.user) for question in found[:SHOWN]]
    return show_tab(
        request, frame, "dashboard/run/questions.html",
        open_pages=[page for page in reversed(pages) if page.is_open],
        closed_pages=[page for page in pages if not page.is_open], more=len(found) > SHOWN,
    )  # fmt: skip
