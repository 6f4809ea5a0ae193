"""What the model calls of a pipeline's run were asked, made again from what the run has recorded."""

from collections.abc import Callable
from typing import Any

import pytest

from flows.pipelines.asked import Asked, prompts_of
from flows.pipelines.starting import start
from runs.models import Run, RunStatus, Step
from runs.testing import run_to_end
from tests.llm.conftest import profile

__all__ = ["profile"]

pytestmark = pytest.mark.django_db(transaction=True)

PIPELINE = """type: p
version: '1'
steps:
  - id: a
    mode: fanout
    prompt: {system: Be short., user: 'Sum up {{ source.label }}: {{ source.content }}'}
  - id: b
    depends_on: [a]
    prompt: {user: "Join {{ previous.a | map(attribute='data') | join(' and ') }} as {{ options.style }}"}
"""
GIVEN = {
    "sources": [{"label": "one", "content": "good"}, {"label": "two", "content": "bad"}],
    "options": {"style": "a list"},
}
NAMES = ["a[0]: model", "a[1]: model", "b: model"]


@pytest.fixture
def run(own_pipelines: Callable[..., None], profile: Callable[..., Any]) -> Run:
    """Each rule answers one prompt alone, so the answers tell what was asked."""
    profile(
        rules=[
            {"match": "^Sum up one: good$", "text": "fine"},
            {"match": "^Sum up two: bad$", "text": "poor"},
            {"match": "^Join fine and poor as a list$", "text": "joined"},
        ]
    )
    own_pipelines(PIPELINE)
    ended = run_to_end(start("p", GIVEN).run)
    assert ended.status == RunStatus.COMPLETED, ended.error
    assert [item["data"]["text"] for item in ended.output["items"]][-1] == "joined"
    return ended


def test_prompts_are_those_that_were_sent(run: Run) -> None:
    assert prompts_of(run, NAMES) == {
        "a[0]: model": Asked("Be short.", "Sum up one: good"),
        "a[1]: model": Asked("Be short.", "Sum up two: bad"),
        "b: model": Asked("", "Join fine and poor as a list"),
    }


def test_secrets_of_what_was_given_and_recorded_are_masked_in_them(run: Run) -> None:
    run.secrets = {"input": [["input", "sources", 0, "content"]]}
    Step.objects.filter(run=run, name="a[0]").update(secrets=[["data"]])
    found = prompts_of(run, NAMES)
    assert found["a[0]: model"].user == "Sum up one: ***"
    assert "fine" not in str(found.get("b: model"))


def test_what_is_no_model_call_or_can_not_be_made_again_is_left_out(run: Run) -> None:
    assert prompts_of(run, ["a[0]", "a[9]: model", "none: model", "b: question", "", "b"]) == {}
    Step.objects.filter(run=run).delete()
    assert set(prompts_of(run, NAMES)) <= set(NAMES)
