from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect, JsonResponse
from django.urls import URLPattern, path, re_path
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from runs.api import (
    actions,
    artifacts,
    bulk,
    cleanup,
    handlers,
    messages,
    operators,
    presets,
    queues,
    schedules,
    views,
    workflows,
)
from runs.api.door import Door
from runs.api.errors import error_body


@csrf_exempt
def add_slash(request: HttpRequest, **_: str) -> HttpResponse:
    """An address without its last slash. Only a GET is led on: a redirected POST becomes a GET and seems to work."""
    if request.method in ("GET", "HEAD"):
        return HttpResponsePermanentRedirect(request.get_full_path(force_append_slash=True))
    message = f"There is nothing at {request.path}. Addresses end with a slash; add it."
    return JsonResponse(error_body("not_found", message), status=404)


def with_and_without_slash(address: str, view: type[Door]) -> list[URLPattern]:
    """Clients of the workflow API send no slash; the document shows it that way."""
    return [path(address, view.as_view()), path(f"{address}/", view.as_view(schema=None))]


urlpatterns = [
    path("runs/", views.RunList.as_view(), name="api-run-list"),
    path("runs/start/", bulk.StartMany.as_view(), name="api-runs-start"),
    path("runs/cancel/", bulk.CancelMany.as_view(), name="api-runs-cancel"),
    path("runs/retry/", bulk.RetryMany.as_view(), name="api-runs-retry"),
    path("runs/<str:run_id>/", views.RunDetail.as_view(), name="api-run"),
    path("runs/<str:run_id>/cancel/", actions.RunCancel.as_view(), name="api-run-cancel"),
    path("runs/<str:run_id>/pause/", actions.RunPause.as_view(), name="api-run-pause"),
    path("runs/<str:run_id>/resume/", actions.RunResume.as_view(), name="api-run-resume"),
    path("runs/<str:run_id>/retry/", actions.RunRetry.as_view(), name="api-run-retry"),
    path("runs/<str:run_id>/budget/", actions.RunBudget.as_view(), name="api-run-budget"),
    path("runs/<str:run_id>/retrigger/", actions.RunRetrigger.as_view(), name="api-run-retrigger"),
    path("runs/<str:run_id>/fork/", actions.RunFork.as_view(), name="api-run-fork"),
    path("runs/<str:run_id>/move/", operators.RunMove.as_view(), name="api-run-move"),
    path("runs/<str:run_id>/signals/", messages.RunSignals.as_view(), name="api-run-signals"),
    path("runs/<str:run_id>/queries/<str:name>/", handlers.RunQuery.as_view(), name="api-run-query"),
    path("runs/<str:run_id>/updates/", handlers.RunUpdates.as_view(), name="api-run-updates"),
    path("runs/<str:run_id>/updates/<str:update_id>/", handlers.RunUpdate.as_view(), name="api-run-update"),
    path("runs/<str:run_id>/state/", messages.RunState.as_view(), name="api-run-state"),
    path("runs/<str:run_id>/steps/", views.RunSteps.as_view(), name="api-run-steps"),
    path("runs/<str:run_id>/checkpoints/", views.RunCheckpoints.as_view(), name="api-run-checkpoints"),
    path("runs/<str:run_id>/artifacts/", artifacts.RunArtifacts.as_view(), name="api-run-artifacts"),
    path("runs/<str:run_id>/artifacts/<str:name>/", artifacts.RunArtifact.as_view(), name="api-run-artifact"),
    path("jobs/", views.JobList.as_view(), name="api-job-list"),
    path("jobs/<str:name>/rollout/", operators.JobRollout.as_view(), name="api-job-rollout"),
    path("jobs/<str:name>/", views.JobDetail.as_view(), name="api-job"),
    path("schedules/", schedules.ScheduleList.as_view(), name="api-schedule-list"),
    path("schedules/<str:schedule_id>/", schedules.ScheduleDetail.as_view(), name="api-schedule"),
    path("schedules/<str:schedule_id>/pause/", schedules.SchedulePause.as_view(), name="api-schedule-pause"),
    path("schedules/<str:schedule_id>/resume/", schedules.ScheduleResume.as_view(), name="api-schedule-resume"),
    path("schedules/<str:schedule_id>/trigger/", schedules.ScheduleTrigger.as_view(), name="api-schedule-trigger"),
    path("presets/", presets.PresetList.as_view(), name="api-preset-list"),
    path("presets/<str:preset_id>/", presets.PresetDetail.as_view(), name="api-preset"),
    path("presets/<str:preset_id>/start/", presets.PresetStart.as_view(), name="api-preset-start"),
    path("queues/", queues.QueueList.as_view(), name="api-queue-list"),
    path("queues/<str:name>/", queues.QueueDetail.as_view(), name="api-queue"),
    path("workers/", views.WorkerList.as_view(), name="api-worker-list"),
    path("prune/", cleanup.CleanUp.as_view(), name="api-prune"),
    *with_and_without_slash("workflows/start", workflows.WorkflowStart),
    *with_and_without_slash("workflows/<str:run_id>/signal", workflows.WorkflowSignal),
    *with_and_without_slash("workflows/<str:run_id>/query", workflows.WorkflowQuery),
    *with_and_without_slash("workflows/<str:run_id>/update", workflows.WorkflowUpdate),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    # The split view loads its script from an address of its own: no inline script under the strict policy.
    path(
        "schema/browse/", login_required(SpectacularSwaggerSplitView.as_view(url_name="schema")), name="schema-browse"
    ),
    re_path(r"^(?:runs|jobs|schedules|presets|queues|workers|prune)(?:/.*)?(?<!/)$", add_slash),
]
