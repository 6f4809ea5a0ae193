from django.contrib.auth.decorators import login_required
from django.urls import path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from runs.api import views

urlpatterns = [
    path("runs/", views.RunList.as_view(), name="api-run-list"),
    path("runs/<str:run_id>/", views.RunDetail.as_view(), name="api-run"),
    path("runs/<str:run_id>/cancel/", views.RunCancel.as_view(), name="api-run-cancel"),
    path("runs/<str:run_id>/resume/", views.RunResume.as_view(), name="api-run-resume"),
    path("runs/<str:run_id>/steps/", views.RunSteps.as_view(), name="api-run-steps"),
    path("runs/<str:run_id>/checkpoints/", views.RunCheckpoints.as_view(), name="api-run-checkpoints"),
    path("jobs/", views.JobList.as_view(), name="api-job-list"),
    path("jobs/<str:name>/", views.JobDetail.as_view(), name="api-job"),
    path("workers/", views.WorkerList.as_view(), name="api-worker-list"),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    # The split view loads its script from an address of its own: no inline script under the strict policy.
    path(
        "schema/browse/", login_required(SpectacularSwaggerSplitView.as_view(url_name="schema")), name="schema-browse"
    ),
]
