"""The page of a person's API tokens: made here and shown once, revoked here."""

from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods

from perdure.accounts.models import ApiToken
from perdure.accounts.tokens import create_token, living_tokens, revoke
from perdure.dashboard.access import actor_of
from perdure.dashboard.settings.token_form import TokenForm
from runs import clock

CLOSED_SHOWN = 20


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
@sensitive_variables("plain")
def show_tokens(request: HttpRequest) -> HttpResponse:
    """The tokens of who is signed in, and a form for another.

    The answer to the form shows the token, and no other page ever does: a redirect would have to keep it somewhere.
    """
    user = _person(request)
    if request.method != "POST":
        return _show(request, user, TokenForm(user))
    form = TokenForm(user, request.POST)
    if not form.is_valid():
        return _show(request, user, form, status=400)
    chosen = form.cleaned_data
    plain = create_token(user, chosen["name"], form.expires_at, scope=chosen["scope"], actor=actor_of(request))
    return _show(request, user, TokenForm(user), plain=plain, name=chosen["name"], status=201)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def revoke_token(request: HttpRequest, token_id: int) -> HttpResponse:
    """Ask, then revoke it: whatever uses it is refused from then on."""
    found = living_tokens(_person(request)).filter(pk=token_id)
    token = found.first()
    if token is None:
        raise Http404("There is no such token of yours, or it is revoked. Look at your tokens.")
    if request.method != "POST":
        return render(request, "dashboard/settings/revoke_token.html", {"token": token})
    revoke(found, actor_of(request))
    messages.success(request, f"The token {token.name} is revoked. Requests with it are refused from now on.")
    return redirect("dashboard:settings")


def _show(request: HttpRequest, user: User, form: TokenForm, status: int = 200, **shown: str) -> HttpResponse:
    living = living_tokens(user)
    closed = ApiToken.objects.filter(user=user).exclude(pk__in=living.values("pk"))
    context = {"form": form, "living": living, "closed": closed[:CLOSED_SHOWN], "now": clock.now(), **shown}
    return render(request, "dashboard/settings/tokens.html", context, status=status)


def _person(request: HttpRequest) -> User:
    return cast(User, request.user)  # signed in, as each view here demands
