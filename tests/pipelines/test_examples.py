"""The examples run as they are, with the scripted provider that every installation begins with."""

import re
from pathlib import Path
from typing import Any

import pytest

from flows.pipelines import catalogue, files
from flows.pipelines.loader import load
from flows.pipelines.starting import start
from runs.models import Run, RunStatus, Step
from runs.testing import run_to_end

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).parents[2]
LOG = {"kind": "log", "label": "web.log", "content": "10:00 INFO up\n10:01 ERROR no database\n10:02 ERROR no database"}
CODE = {"kind": "code", "label": "db.py", "content": "def connect():\n    return None"}


def ended(type_: str, sources: list[dict[str, Any]]) -> Run:
    run = run_to_end(start(type_, {"sources": sources}).run)
    assert run.status == RunStatus.COMPLETED, run.error
    return run


def test_every_file_of_the_installed_apps_is_a_pipeline() -> None:
    assert files.loaded().problems == ()
    assert {"summarise", "triage"} <= {made.type for made in catalogue.all_pipelines()}


@pytest.mark.parametrize("page", ["README.md", "docs/howto/pipelines.md"])
def test_the_pipelines_that_pages_show_are_pipelines(page: str) -> None:
    shown = re.findall(r"```yaml\n(type: .*?)```", (ROOT / page).read_text(), re.DOTALL)
    assert [load(text).type for text in shown] == ["digest"]


def test_summarise_makes_one_report_of_twenty_sources() -> None:
    sources = [{"kind": "note", "label": f"note {n}", "content": f"Text number {n}."} for n in range(20)]
    run = ended("summarise", sources)
    (report,) = run.output["items"]
    assert (report["kind"], report["tag"], report["is_primary"]) == ("markdown", "report", True)
    models = Step.objects.filter(run=run, name__endswith=": model").values_list("name", flat=True)
    assert len(models) == 20 + 20 + 3


def test_triage_orders_findings_and_skips_the_cause_where_nothing_failed() -> None:
    table, brief = ended("triage", [LOG, CODE]).output["items"]
    assert table["data"]["columns"] == ["severity", "component", "finding"]
    assert len(table["data"]["rows"]) == 2
    assert brief["tag"] == "brief"
    quiet = ended("triage", [CODE])
    assert quiet.output["meta"]["skipped"] == ["cause"]
    assert Step.objects.get(run=quiet, name="count[0]").output["data"]["errors"] == 0
