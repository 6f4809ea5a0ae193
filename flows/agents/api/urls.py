from django.urls import path

from flows.agents.api import steering

# Included below api/.
urlpatterns = [
    path("flows/runs/<str:run_id>/", steering.FlowRun.as_view(), name="api-flow-run"),
    path("flows/runs/<str:run_id>/tell/", steering.FlowTell.as_view(), name="api-flow-run-tell"),
    path("flows/runs/<str:run_id>/continue/", steering.FlowContinue.as_view(), name="api-flow-run-continue"),
    path("flows/runs/<str:run_id>/single-step/", steering.FlowSingleStep.as_view(), name="api-flow-run-single-step"),
]
