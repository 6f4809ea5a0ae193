"""What a start form starts: a run of a job, or of a pipeline."""

from dataclasses import dataclass
from typing import Any, Protocol

from flows.pipelines import starting as pipelines
from flows.pipelines.run_input import PipelineInput
from flows.pipelines.spec import PipelineDef
from perdure.dashboard.forms.schema_reading import Schema
from runs import jobs
from runs.definitions import Job
from runs.models import Run


class Target(Protocol):
    """`keeps_presets` where its input can be kept under a name."""

    @property
    def keeps_presets(self) -> bool: ...

    def input_schema(self) -> Schema: ...

    def start(self, value: Any, labels: dict[str, str] | None, **options: Any) -> Run:
        """A run with this input. Raises what starting refuses."""
        ...

    def asked_for(self, value: Any, labels: dict[str, str] | None) -> tuple[str, Any, dict[str, str] | None]:
        """The job, the input without secrets, and the labels of the same start over REST. Raises InvalidInput."""
        ...


@dataclass(frozen=True)
class JobTarget:
    job: Job
    keeps_presets: bool = True

    def input_schema(self) -> Schema:
        return self.job.input_schema()

    def start(self, value: Any, labels: dict[str, str] | None, **options: Any) -> Run:
        return jobs.start(self.job, value, labels=labels, **options).run

    def asked_for(self, value: Any, labels: dict[str, str] | None) -> tuple[str, Any, dict[str, str] | None]:
        return self.job.name, jobs.redact(value, jobs.secrets_of(self.job, value)), labels


@dataclass(frozen=True)
class PipelineTarget:
    made: PipelineDef
    keeps_presets: bool = False

    def input_schema(self) -> Schema:
        return PipelineInput.model_json_schema()

    def start(self, value: Any, labels: dict[str, str] | None, **options: Any) -> Run:
        return pipelines.start(self.made, value, labels=labels, **options).run

    def asked_for(self, value: Any, labels: dict[str, str] | None) -> tuple[str, Any, dict[str, str] | None]:
        """The pipeline's name only: code that is copied takes the newest version when it runs."""
        of_job = {"pipeline": self.made.type, "input": value}
        jobs.get_job(pipelines.JOB).parse_input(of_job)
        return pipelines.JOB, of_job, {**(labels or {}), "pipeline": self.made.type}
