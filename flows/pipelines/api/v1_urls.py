from django.urls import URLPattern, path

from flows.pipelines.api import config, jobs, providers, suggest
from flows.pipelines.api.door import V1Door


def _both(address: str, view: type[V1Door], name: str) -> list[URLPattern]:
    """With and without a last slash: clients of this API send none, and the document shows it that way."""
    return [path(address, view.as_view(), name=name), path(f"{address}/", view.as_view(schema=None))]


# Included below v1/.
urlpatterns = [
    *_both("jobs", jobs.JobList, "v1-job-list"),
    *_both("jobs/<str:job_id>", jobs.JobDetail, "v1-job"),
    *_both("jobs/<str:job_id>/stream", jobs.JobStream, "v1-job-stream"),
    *_both("jobs/<str:job_id>/cancel", jobs.JobCancel, "v1-job-cancel"),
    *_both("jobs/<str:job_id>/rerun", jobs.JobRerun, "v1-job-rerun"),
    *_both("config/providers", providers.ConfigProviders, "v1-config-providers"),
    *_both("config/pipelines", config.ConfigPipelines, "v1-config-pipelines"),
    *_both("metrics", config.Metrics, "v1-metrics"),
    *_both("suggest/stream", suggest.SuggestStream, "v1-suggest"),
]
