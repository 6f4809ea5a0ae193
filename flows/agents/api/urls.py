from django.urls import path, re_path

from flows.agents.api import catalogue, steering
from runs.api.urls import add_slash

# Included below api/.
urlpatterns = [
    path("flows/", catalogue.FlowCatalogue.as_view(), name="api-flow-list"),
    path("flows/check/", catalogue.FlowCheck.as_view(), name="api-flow-check"),
    path("flows/runs/<str:run_id>/", steering.FlowRun.as_view(), name="api-flow-run"),
    path("flows/runs/<str:run_id>/tell/", steering.FlowTell.as_view(), name="api-flow-run-tell"),
    path("flows/runs/<str:run_id>/continue/", steering.FlowContinue.as_view(), name="api-flow-run-continue"),
    path("flows/runs/<str:run_id>/single-step/", steering.FlowSingleStep.as_view(), name="api-flow-run-single-step"),
    path("flows/<str:name>/", catalogue.FlowDetail.as_view(), name="api-flow"),
    path("flows/<str:name>/start/", catalogue.FlowStart.as_view(), name="api-flow-start"),
    re_path(r"^flows(?:/.*)?(?<!/)$", add_slash),
]
