"""A pipeline is a run like any other: its steps are recorded, and its output are the items that it exports."""

from collections.abc import Callable
from typing import Any

import pytest

from flows.pipelines.registry import Item, Work, pipeline_step
from flows.pipelines.results import texts_of
from flows.pipelines.starting import start
from runs import jobs
from runs.errors import InvalidOption
from runs.models import Run, RunStatus, Step
from runs.testing import run_to_end

pytestmark = pytest.mark.django_db(transaction=True)

Use = Callable[..., None]
SOURCES = [{"kind": "log", "label": "one", "content": "a b"}, {"kind": "code", "label": "two", "content": "c"}]

WORDS = """
type: words
version: "1"
steps:
  - id: shout
    kind: map
    mode: fanout
    prompt: {user: "{{ source.content|upper }}"}
  - id: count
    name: Count
    kind: map
    mode: per_item
    depends_on: [shout]
    output_type: json
    config: {expression: "item.data.text.split()|length"}
  - id: all
    kind: reduce
    depends_on: [shout]
    export: true
    export_tag: result
    prompt: {user: "{{ previous.shout|map(attribute='data')|join('+') }} in {{ options.tone }}"}
  - id: total
    kind: reduce
    output_type: json
    depends_on: [count]
    export: true
"""


def ended(type_: str, given: Any = None, **options: Any) -> Run:
    return run_to_end(start(type_, given, **options).run)


def test_a_pipeline_runs_its_steps_and_exports_what_it_says(own_pipelines: Use) -> None:
    own_pipelines(WORDS)
    run = ended("words", {"sources": SOURCES, "options": {"tone": "calm"}})
    assert run.status == RunStatus.COMPLETED, run.error
    everything, total = run.output["items"]
    assert everything["data"] == {"text": "A B+C in calm"}
    assert (everything["tag"], everything["content_type"], everything["is_primary"]) == ("result", "text/plain", False)
    assert (total["data"], total["kind"], total["is_primary"]) == ([2, 1], "json", True)
    assert run.output["meta"]["pipeline"] == "words"


def test_shards_have_the_keys_and_labels_of_their_sources(own_pipelines: Use) -> None:
    own_pipelines(WORDS)
    run = ended("words", {"sources": SOURCES, "options": {"tone": "calm"}})
    shout, count = (Step.objects.get(run=run, name=name).output for name in ("shout[1]", "count[1]"))
    assert (shout["id"], shout["shard_key"], shout["label"]) == ("shout-1", "shout-1", "shout#2")
    assert shout["data"] == {"text": "C", "source_kind": "code", "source": "two"}
    assert (count["id"], count["shard_key"], count["label"]) == ("count-1", "shout-1", "Count#2")


def test_a_fan_out_without_sources_is_one_step(own_pipelines: Use) -> None:
    own_pipelines("type: p\nversion: '1'\nsteps: [{id: a, kind: map, mode: fanout, prompt: {user: 'x'}}]")
    run = ended("p")
    assert [item["id"] for item in run.output["items"]] == ["a"]


def test_a_custom_step_calls_a_registered_function(own_pipelines: Use) -> None:
    @pipeline_step("split")
    def split(work: Work) -> list[Item]:
        return [Item(data=word, label=word) for word in work.sources[0]["content"].split(work.config["at"])]

    own_pipelines(
        "type: p\nversion: '1'\nsteps:\n"
        "  - {id: a, kind: custom, function: split, config: {at: ' '}}\n"
        "  - {id: b, kind: map, mode: per_item, depends_on: [a], prompt: {user: '{{ item.data }}!'}}"
    )
    run = ended("p", {"sources": SOURCES})
    assert [item["data"]["text"] for item in run.output["items"]] == ["a!", "b!"]
    assert [item["id"] for item in Step.objects.get(run=run, name="a").output] == ["a-0", "a-1"]


def test_a_step_falls_into_a_thousand_shards_at_most(own_pipelines: Use) -> None:
    @pipeline_step("many")
    def many(work: Work) -> list[Item]:
        return [Item(data="x")] * 1001

    own_pipelines(
        "type: p\nversion: '1'\nsteps:\n  - {id: a, kind: custom, function: many}\n"
        "  - {id: b, kind: map, mode: per_item, depends_on: [a], prompt: {user: x}}"
    )
    run = ended("p")
    assert run.status == RunStatus.FAILED
    assert "would have 1001 shards" in run.error["message"]


def test_a_run_keeps_the_definition_that_it_was_started_with(own_pipelines: Use) -> None:
    own_pipelines("type: p\nversion: '1'\nsteps: [{id: a, kind: map, prompt: {user: 'old'}}]")
    run = start("p").run
    own_pipelines("type: p\nversion: '1'\nsteps: [{id: a, kind: map, prompt: {user: 'new'}}]")
    assert run_to_end(run).output["items"][0]["data"]["text"] == "old"
    assert ended("p").output["items"][0]["data"]["text"] == "new"


def test_a_start_may_tighten_the_budget_of_the_definition_and_never_widens_it(own_pipelines: Use) -> None:
    own_pipelines("type: p\nversion: '1'\nbudget: {steps: 100}\nsteps: [{id: a, kind: map, prompt: {user: x}}]")
    for given, hard in ((None, 100), ({"steps": 50}, 50)):
        run = start("p", budget=given).run
        state = jobs.budget_state(run)
        assert state is not None
        assert state.limits["steps"].hard == hard
        assert run_to_end(run).status == RunStatus.COMPLETED
    with pytest.raises(InvalidOption, match="the job allows 100"):
        start("p", budget={"steps": 101})
    with pytest.raises(InvalidOption, match="the job allows 100"):
        jobs.start("pipeline", {"pipeline": "p"}, budget={"steps": 101})


def test_the_page_of_a_run_shows_its_items_as_texts() -> None:
    items = [
        {"label": "Brief", "data": {"text": "# Broken"}},
        {"label": "Findings", "data": {"columns": ["a", "b"], "rows": [["x|y", 1]]}},
        {"label": "Count", "data": 3},
    ]
    table = "| a | b |\n| --- | --- |\n| x\\|y | 1 |"
    assert texts_of({"items": items, "meta": {}}) == [("Brief", "# Broken"), ("Findings", table)]
    assert texts_of({"items": items}) == texts_of([1]) == texts_of(None) == []


def test_a_run_may_be_started_by_its_type_alone(own_pipelines: Use) -> None:
    own_pipelines(WORDS)
    run = jobs.start("pipeline", {"pipeline": "words", "input": {"sources": SOURCES, "options": {"tone": "calm"}}}).run
    assert run_to_end(run).status == RunStatus.COMPLETED
