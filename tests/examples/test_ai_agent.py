"""The example `ai-agent`: real passages of pages as context, tools that only read, and a streamed answer."""

from pathlib import Path
from typing import Any

import pytest

from runs import jobs
from runs.models import Run, Step
from runs.testing import crash_after, drain
from tests.vendors.process import FakeVendor

PAGE = "# Storms\n\nIntroduction.\n\n## When it rains\n\nTake an umbrella.\n\n```\n# no heading\n```\n"


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    made = tmp_path / "pages"
    made.mkdir()
    (made / "weather.md").write_text(PAGE)
    (made / "other.md").write_text("# Other\n\nNothing of it.\n")
    (made / ".private.md").write_text("# When it rains\n\nSecret umbrella.\n")
    settings.LLM_TOOL_FOLDERS = (str(tmp_path),)
    return made


def ended(**input: Any) -> Run:
    run = jobs.start("ai-agent", input).run
    drain()
    run.refresh_from_db()
    assert run.status == "completed", run.error
    return run


def names(run: Run) -> list[str]:
    return list(Step.objects.filter(run=run).order_by("id").values_list("name", flat=True))


def test_the_scripted_provider_searches_and_says_what_it_is(here: None, folder: Path) -> None:
    run = ended(question="Which umbrella when it rains?", folder=str(folder))
    assert (run.output["pages"], run.output["answered_by"]) == (["weather.md"], "scripted provider")
    assert "**weather.md**: When it rains\n\nTake an umbrella." in run.output["answer"]
    assert "Secret" not in str(Step.objects.filter(run=run).values_list("output", flat=True))
    assert names(run) == [
        "fetch-context", "answer", "answer: calls#1", "answer: search_pages#1.1", "answer #2"
    ]  # fmt: skip


def test_the_sample_question_is_answered_from_perdures_own_pages(here: None) -> None:
    output = ended().output
    assert "docs/explanation/failures.md" in output["pages"]
    assert "**docs/explanation/failures.md**" in output["answer"]


def test_a_model_reads_pages_and_is_told_what_it_may_not_read(here: None, folder: Path, model: FakeVendor) -> None:
    paths = ["weather.md", ".private.md", "../outside.md", "/etc/hostname", "missing.md"]
    calls = [{"name": "read_page", "arguments": {"path": path}} for path in paths]
    model.script([{"turn": 1, "tool_calls": calls}, {"role": "tool", "text": "Take an umbrella."}])
    run = jobs.start("ai-agent", {"question": "When it rains?", "folder": str(folder)}).run
    with crash_after("answer: read_page#1.1"):
        drain()
    drain()
    run.refresh_from_db()
    assert run.output["answer"] == "Take an umbrella."
    told = [message["content"] for message in model.calls()[1]["body"]["messages"] if message["role"] == "tool"]
    assert told[0] == PAGE
    assert all("Name one as search_pages names it" in one for one in told[1:])
    assert model.stats()["repeated"] == []
