"""Steps of kind llm and image: what is asked, in which form the answer is kept, and what becomes of failures."""

import base64
from collections.abc import Callable
from typing import Any

import pytest

from flows.llm.tools import tool
from flows.pipelines import registry
from flows.pipelines.starting import start
from hitl.answers import answer
from hitl.models import Question
from runs import jobs
from runs.models import Run, RunStatus, Step
from runs.testing import drain, run_to_end
from tests.llm.conftest import profile
from tests.pipelines.people import member

__all__ = ["profile"]

pytestmark = pytest.mark.django_db(transaction=True)

Use = Callable[..., None]
Profile = Callable[..., Any]
TWO = {"sources": [{"label": "one", "content": "good"}, {"label": "two", "content": "bad"}]}


def ended(own_pipelines: Use, steps: str, given: Any = None, head: str = "") -> Run:
    own_pipelines(f"type: p\nversion: '1'\n{head}\nsteps:\n{steps}")
    return run_to_end(start("p", given).run)


def data(run: Run) -> list[Any]:
    assert run.status == RunStatus.COMPLETED, run.error
    return [item["data"] for item in run.output["items"]]


def test_a_prompt_is_rendered_and_the_answer_recorded(own_pipelines: Use, profile: Profile) -> None:
    profile(rules=[{"match": "^Sum up one: good$", "text": "fine"}])
    run = ended(
        own_pipelines,
        "  - id: a\n    mode: fanout\n"
        "    prompt: {system: Be short., user: 'Sum up {{ source.label }}: {{ source.content }}'}",
        {"sources": TWO["sources"][:1]},
    )
    assert data(run) == [{"text": "fine", "source_kind": "raw", "source": "one"}]
    asked = Step.objects.get(run=run, name="a[0]: model")
    assert asked.output["message"]["content"] == "fine"


STRICT = "{id: a, output_type: json, schema: {type: object, properties: {n: {type: integer}}, required: [n]}, %s}"


def test_strict_json_that_does_not_fit_is_asked_for_again(own_pipelines: Use, profile: Profile) -> None:
    profile(rules=[{"match": "count", "text": '{"n": "many"}', "times": 1}, {"text": '{"n": 3}'}])
    run = ended(own_pipelines, "  - " + STRICT % "prompt: {user: count}, retries: 3")
    assert data(run) == [{"n": 3}]
    assert Step.objects.get(run=run, name="a: model").attempts == 2


def test_strict_json_needs_no_object(own_pipelines: Use, profile: Profile) -> None:
    run = ended(own_pipelines, "  - {id: a, output_type: json, output_format: json_strict, prompt: {user: hello}}")
    assert len(data(run)) == 1


def test_loose_json_is_found_in_the_text(own_pipelines: Use, profile: Profile) -> None:
    profile(rules=[{"text": 'Here you are:\n```json\n{"n": [1]}\n```\nAnything else?'}])
    assert data(ended(own_pipelines, "  - {id: a, output_type: json, prompt: {user: x}}")) == [{"n": [1]}]


def test_a_text_without_json_fails_the_step(own_pipelines: Use, profile: Profile) -> None:
    profile(rules=[{"text": "no"}])
    run = ended(own_pipelines, "  - {id: a, output_type: json, prompt: {user: x}}")
    assert run.status == RunStatus.FAILED
    assert "there is no JSON in 'no'" in run.error["message"]


@pytest.mark.parametrize(
    "text",
    ["| a | b |\n|---|---|\n| 1 | 2 |", '[{"a": "1", "b": "2"}]', '{"columns": ["a", "b"], "rows": [["1", "2"]]}'],
)
def test_a_table_has_columns_and_rows(own_pipelines: Use, profile: Profile, text: str) -> None:
    profile(rules=[{"text": text}])
    run = ended(own_pipelines, "  - {id: a, output_type: table, prompt: {user: x}}")
    assert data(run) == [{"columns": ["a", "b"], "rows": [["1", "2"]]}]


def test_embeddings_and_images(own_pipelines: Use) -> None:
    run = ended(
        own_pipelines,
        "  - {id: v, output_type: embedding, prompt: {user: x}}\n  - {id: i, kind: image, prompt: {user: a cat}}",
    )
    vector, image = data(run)
    assert vector["model"]
    assert all(isinstance(one, float) for one in vector["vector"])
    assert base64.b64decode(image["base64"]).startswith(b"\x89PNG")
    assert [item["content_type"] for item in run.output["items"]] == ["application/json", "image/png"]


REFUSING = [{"match": "bad", "fail": {"code": "refused"}}, {"text": "ok"}]
SHARDS = "  - {{id: a, mode: fanout, on_failure: {}, prompt: {{user: '{{{{ source.content }}}}'}}}}\n"
AFTER = "  - {id: b, kind: reduce, depends_on: [a]}\n"


def test_a_failed_shard_fails_the_run_after_the_others_have_ended(own_pipelines: Use, profile: Profile) -> None:
    profile(rules=REFUSING)
    run = ended(own_pipelines, SHARDS.format("fail") + AFTER, TWO)
    assert run.status == RunStatus.FAILED
    assert run.error["steps"] == ["a[1]: model", "a[1]"]
    assert Step.objects.get(run=run, name="a[0]").status == "completed"
    assert not Step.objects.filter(run=run, name="b").exists()


def test_a_failed_shard_may_be_left_out(own_pipelines: Use, profile: Profile) -> None:
    profile(rules=REFUSING)
    run = ended(own_pipelines, SHARDS.format("skip") + AFTER, TWO)
    assert data(run) == [{"text": "ok"}]
    assert "Refused" in Step.objects.get(run=run, name="a[1]").error["message"]


@pytest.mark.parametrize(("policy", "found"), [("skip", []), ("continue", [{"text": ""}])])
def test_a_step_without_any_result_skips_what_depends_on_it_or_not(
    own_pipelines: Use, profile: Profile, policy: str, found: list[Any]
) -> None:
    profile(rules=[{"fail": {"code": "refused"}}])
    run = ended(own_pipelines, SHARDS.format(policy) + AFTER, TWO)
    assert data(run) == found
    assert run.output["meta"]["failed"] == ["a"]
    assert run.output["meta"]["skipped"] == (["a", "b"] if policy == "skip" else [])


def test_the_policy_of_the_pipeline_holds_for_its_steps(own_pipelines: Use, profile: Profile) -> None:
    profile(rules=REFUSING)
    steps = "  - {id: a, prompt: {user: bad}}\n  - {id: b, prompt: {user: good}}"
    assert data(ended(own_pipelines, steps, head="on_failure: skip")) == [{"text": "ok"}]


def test_a_failed_run_goes_on_from_the_model_call_that_failed(own_pipelines: Use, profile: Profile) -> None:
    profile(rules=REFUSING)
    run = ended(own_pipelines, SHARDS.format("fail") + AFTER, TWO)
    profile(rules=[{"text": "mended"}])
    jobs.retry(run.id)
    assert data(run_to_end(run)) == [{"text": "ok\n\nmended"}]


def test_tools_of_a_step_are_approved_by_people(own_pipelines: Use, profile: Profile) -> None:
    calls: list[str] = []

    @tool(needs_approval=True)
    def lookup(word: str) -> str:
        """Look it up."""
        calls.append(word)
        return f"{word} found"

    registry.register_tool(lookup)
    profile(rules=[
        {"match": "look", "tool_calls": [{"name": "lookup", "arguments": {"word": "cat"}}], "times": 1},
        {"text": "so: {{tool_result}}"},
    ])  # fmt: skip
    owner = member("ann", "team")
    own_pipelines("type: p\nversion: '1'\nsteps: [{id: a, prompt: {user: look}, config: {tools: [lookup]}}]")
    run = start("p", owner=owner, team=owner.groups.get()).run
    drain()
    question = Question.objects.get(run=run)
    assert (question.kind, question.context["arguments"]) == ("tool_call", {"word": "cat"})
    answer(question.id, member("bob", "team"), "approve", value={"word": "dog"}, digest=question.digest)
    assert "dog found" in data(run_to_end(run))[0]["text"]
    assert calls == ["dog"]


def test_a_tool_step_calls_with_arguments_from_templates(own_pipelines: Use) -> None:
    @tool
    def add(numbers: list[int], word: str) -> dict[str, Any]:
        """Add."""
        return {"sum": sum(numbers), "word": word}

    registry.register_tool(add)
    run = ended(
        own_pipelines,
        "  - {id: n, kind: map, output_type: json, config: {expression: '[1, 2, options.more]'}}\n"
        "  - {id: a, kind: tool, tool: add, depends_on: [n], output_type: json, config: {arguments: "
        "{numbers: '{{ previous.n[0].data }}', word: 'is {{ options.more }}'}}}",
        {"options": {"more": 4}},
    )
    assert data(run) == [{"sum": 7, "word": "is 4"}]


def test_a_denied_tool_call_fails_its_step(own_pipelines: Use) -> None:
    @tool(needs_approval=lambda arguments: arguments["word"] == "risky")
    def act(word: str) -> str:
        """Act."""
        return word

    registry.register_tool(act)
    own_pipelines(
        "type: p\nversion: '1'\nsteps:\n"
        "  - {id: a, kind: tool, tool: act, config: {arguments: {word: '{{ options.word }}'}}}"
    )
    assert data(run_to_end(start("p", {"options": {"word": "tame"}}).run)) == [{"text": "tame"}]
    owner = member("ann", "team")
    run = start("p", {"options": {"word": "risky"}}, owner=owner, team=owner.groups.get()).run
    drain()
    question = Question.objects.get(run=run)
    answer(question.id, member("bob", "team"), "deny", comment="not now", digest=question.digest)
    failed = run_to_end(run)
    assert failed.status == RunStatus.FAILED
    assert "denied by bob: not now" in failed.error["message"]
