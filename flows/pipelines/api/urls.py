from django.urls import path, re_path

from flows.pipelines.api import catalogue
from runs.api.urls import add_slash

# Included below api/.
urlpatterns = [
    path("pipelines/", catalogue.PipelineCatalogue.as_view(), name="api-pipeline-list"),
    path("pipelines/validate/", catalogue.PipelineValidation.as_view(), name="api-pipeline-validate"),
    path("pipelines/<str:type>/", catalogue.PipelineDetail.as_view(), name="api-pipeline"),
    re_path(r"^pipelines(?:/.*)?(?<!/)$", add_slash),
]
