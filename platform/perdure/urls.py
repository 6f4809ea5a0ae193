"""Every address of the site, from the apps that answer."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from perdure import health
from perdure.agui.copilotkit.single_route import single

urlpatterns: list[URLPattern | URLResolver] = [
    path("livez", health.livez),
    path("readyz", health.readyz),
    path("api/health", health.livez),
    path("health", health.health),
    path("", include("perdure.accounts.urls")),
    path("", include("perdure.dashboard.urls")),
    path("api/", include("runs.live.urls")),
    path("api/", include("hitl.api.urls")),
    path("api/", include("flows.llm.api.urls")),
    path("api/", include("flows.pipelines.api.urls")),
    path("api/", include("flows.agents.api.urls")),
    path("api/", include("runs.api.urls")),
    path("v1/", include("flows.pipelines.api.v1_urls")),
    path("ag-ui/", include("perdure.agui.urls")),
    path("copilotkit", single),
    path("copilotkit/", include("perdure.agui.copilotkit.urls")),
    path("admin/", admin.site.urls),
]

handler400 = "perdure.refusals.bad_request"
handler404 = "perdure.refusals.not_found"
handler500 = "perdure.refusals.server_error"
