"""The models have the fields that the OpenAPI document gives them."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from perdure_client import models

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "reference" / "openapi.yaml"
SHAPES: dict[str, type[models.Model]] = {
    "StartedShape": models.Run,
    "BudgetShape": models.Budget,
    "LimitShape": models.Limit,
    "StepShape": models.Step,
    "AttemptShape": models.Attempt,
    "ArtifactShape": models.Artifact,
    "SentShape": models.Signal,
    "JobShape": models.Job,
    "QuestionShape": models.Question,
    "PipelineJob": models.PipelineJob,
    "StepExecution": models.StepExecution,
    "JobError": models.JobError,
    "JobResult": models.JobResult,
    "ResultItem": models.ResultItem,
    "PipelineJobPage": models.PipelineJobPage,
    "PipelineShape": models.Pipeline,
    "PipelineMetrics": models.Metrics,
    "StreamLine": models.StreamLine,
}


@pytest.fixture(scope="module")
def shapes() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(DOCUMENT.read_text())["components"]["schemas"]
    return loaded


@pytest.mark.parametrize("name", SHAPES)
def test_a_model_has_the_fields_of_its_shape(shapes: dict[str, Any], name: str) -> None:
    named = {field.alias or attribute for attribute, field in SHAPES[name].model_fields.items()}
    assert named == set(shapes[name]["properties"])
