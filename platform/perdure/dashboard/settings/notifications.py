"""The page on which a person chooses whether questions are mailed, and sees what was."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from hitl import people
from hitl.conf import get_settings
from hitl.models import Channel, Delivery
from hitl.notify import choice

MAILS_SHOWN = 10


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def show_notifications(request: HttpRequest) -> HttpResponse:
    """Whether who is signed in gets mails about questions, why not if not, and the last of them."""
    if request.method == "POST":
        wanted = request.POST.get("wanted") == "yes"
        choice.choose_mails(request.user, wanted)
        messages.success(request, "You get mails about questions." if wanted else "You get no mails about questions.")
        return redirect("dashboard:settings-notifications")
    # a question that was given away is not told of any more
    mails = Delivery.objects.filter(
        to_id=request.user.pk, channel=Channel.EMAIL, question__in=people.visible_questions(request.user).values("pk")
    )
    context = {
        "has_server": get_settings().email,
        "may_choose": choice.may_choose(request.user),
        "wants_mails": choice.wants_mails(request.user),
        "mails": mails.select_related("question")[:MAILS_SHOWN],
    }
    return render(request, "dashboard/settings/notifications.html", context)
