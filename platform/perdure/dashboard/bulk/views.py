from uuid import uuid4

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from perdure.dashboard.access import actor_of
from perdure.dashboard.bulk.job import bulk_change
from perdure.dashboard.bulk.order import BulkOrder
from perdure.dashboard.bulk.preview import preview, read_order
from runs import jobs
from runs.errors import RunsError


@require_POST
@login_required
@never_cache
def change_runs(request: HttpRequest) -> HttpResponse:
    """Show what would be changed; once that is agreed to, start the run that changes it, and show that run."""
    order = read_order(request.POST, request.user)
    if request.POST.get("confirmed") == "yes" and (started := _start(request, order)):
        return redirect("dashboard:run", started.run.pk)
    shown = preview(request.user, order, len(set(request.POST.getlist("run"))))
    context = {"preview": shown, "order": order, "key": request.POST.get("key") or uuid4().hex}
    return render(request, "dashboard/bulk/confirm.html", context)


def _start(request: HttpRequest, order: BulkOrder) -> jobs.Started | None:
    """Once for each page that asked, however often its button is pressed."""
    key = request.POST.get("key", "").replace("\0", "")[:64]
    try:
        return jobs.start(
            bulk_change, order, owner=request.user, labels={"bulk": order.action.value},
            idempotency_key=f"bulk:{key}" if key else None, actor=actor_of(request),
        )  # fmt: skip
    except RunsError as exc:
        messages.error(request, str(exc))
        return None
