import math

from django.contrib.auth import login
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from perdure.accounts.signin import SignInLimit, is_local, use_one_time_link
from runs import clock


class SignIn(LoginView):
    """The sign-in form; 429 with Retry-After while there were too many failures."""

    template_name = "accounts/sign_in.html"
    redirect_authenticated_user = True

    def get_redirect_url(self, request: HttpRequest | None = None) -> str:
        # Who is signed in already and comes with `next=/sign-in/` would be led here for ever.
        url = super().get_redirect_url()
        return "" if url.startswith(self.request.path) else url

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        response = super().form_invalid(form)
        until = SignInLimit(self.request, form.cleaned_data.get("username", "")).closed_until()
        if until is None:
            return response
        seconds = max(1, math.ceil((until - clock.now()).total_seconds()))
        context = self.get_context_data(form=form, too_many=True, minutes=math.ceil(seconds / 60))
        return self.render_to_response(context, status=429, headers={"Retry-After": str(seconds)})


@method_decorator(never_cache, name="dispatch")
class SignOut(LogoutView):
    """By POST only: a link that signs people out could stand on any page."""

    http_method_names = ["post", "options"]


@require_GET
@never_cache
def sign_in_once(request: HttpRequest, token: str) -> HttpResponse:
    """Sign in with a one-time link and go to `next`; 410 when the link is used up.

    A GET changes state here on purpose: the link is printed on the terminal of whoever started the server and one
    click must open the page. What may fetch it unasked, a HEAD or a browser's prefetch, does not use it up.
    """
    if _is_prefetch(request):
        return HttpResponse(status=503, headers={"Referrer-Policy": "no-referrer"})
    user = use_one_time_link(token)
    if user is None:
        response = render(request, "accounts/link_used.html", status=410)
    else:
        login(request, user, backend="perdure.accounts.backends.LimitedBackend")
        target = request.GET.get("next", "/")
        response = redirect(target if is_local(target) else "/")
    response["Referrer-Policy"] = "no-referrer"
    return response


def _is_prefetch(request: HttpRequest) -> bool:
    purpose = f"{request.headers.get('Sec-Purpose', '')} {request.headers.get('Purpose', '')}"
    return "prefetch" in purpose or "preview" in purpose
