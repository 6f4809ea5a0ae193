"""A document that is no pipeline is refused when it is loaded, and each problem names its line."""

import json
import time
from typing import Any

import pytest

from flows.llm.tools import tool
from flows.pipelines import registry
from flows.pipelines.errors import InvalidPipeline
from flows.pipelines.loader import digest_of, load

HEAD = "type: p\nversion: '1'\n"
MAP = "kind: map, prompt: {user: x}"


def problems(text: str) -> list[tuple[int, str]]:
    with pytest.raises(InvalidPipeline) as caught:
        load(text)
    return [(problem.line, problem.message) for problem in caught.value.problems]


def steps(*lines: str) -> str:
    return HEAD + "steps:\n" + "\n".join(f"  - {line}" for line in lines)


CASES: list[tuple[str, int, str]] = [
    (HEAD + "steps:\n  - id: a\n    promt: {user: x}", 5, "unknown key 'promt'; did you mean 'prompt'?"),
    (HEAD + "stepz: []\nsteps: [{id: a, " + MAP + "}]", 3, "did you mean 'steps'?"),
    (HEAD + "steps:\n  - id: a\n    kind: map\n    prompt:\n      usr: x", 7, "did you mean 'user'?"),
    ("type: p\nsteps: [{id: a}]", 1, "the key 'version' is missing"),
    (HEAD + "steps: []", 3, "list should have at least 1 item"),
    (HEAD + "steps:\n  - id: a\n    kind: lmm", 5, "'lmm'"),
    (HEAD + "steps:\n  - id: a b", 4, "string should match pattern"),
    (HEAD + "parallel: 0\nsteps: [{id: a}]", 3, "greater than or equal to 1"),
    (steps("{id: a, kind: map, prompt: {user: x}}", "{id: a, kind: map, prompt: {user: x}}"), 5, "'a' is used twice"),
    (steps("{id: draft, kind: map, prompt: {user: x}}", "id: b\n    depends_on:\n      - darft"), 7,
     "there is no step 'darft'; did you mean 'draft'?"),
    (steps(*(f"{{id: {one}, depends_on: [{other}], {MAP}}}" for one, other in ("ac", "ba", "cb"))), 4,
     "in a circle: a → b → c → a"),
    (steps("{id: a, kind: map, depends_on: [a], prompt: {user: x}}"), 4, "in a circle: a → a"),
    (HEAD + "steps:\n  - id: a\n    kind: map\n    prompt:\n      user: |\n        one\n        two {{ sorces }}", 9,
     "there is no 'sorces'; did you mean 'sources'?"),
    (steps("id: a\n    kind: map\n    prompt: {user: '{% for x in %}'}"), 6, "bad template"),
    (steps("id: a\n    kind: map\n    prompt: {user: '{{ index|uper }}'}"), 6, "'uper'; did you mean 'upper'?"),
    (steps("id: a\n    kind: map\n    prompt: {user: x}\n    when: previous.b"), 7, "previous.b is none of the steps"),
    (steps("id: a\n    kind: map\n    prompt: {user: '{{ item.data }}'}"), 6, "in steps of mode per_item only"),
    (steps("id: a\n    kind: map\n    prompt: {user: '{{ source.label }}'}"), 6, "in steps of mode fanout only"),
    (steps("id: a\n    kind: map\n    prompt: {user: '{{ answers.b }}'}"), 6, "answers.b is none of the steps"),
    (steps("id: a"), 4, "a step of kind llm needs prompt.user"),
    (steps("id: a\n    kind: map"), 5, "needs prompt.user or config.expression"),
    (steps("id: a\n    kind: map\n    mode: per_item\n    prompt: {user: x}"), 6, "whose items?"),
    (steps("id: a\n    kind: reduce"), 5, "what is put together?"),
    (steps("id: a\n    kind: tool\n    tool: serach"), 6, "'serach' registered; did you mean 'search'?"),
    (steps("id: a\n    kind: custom\n    function: nope"), 6, "there is no function 'nope' registered"),
    (steps("id: a\n    prompt: {user: x}\n    tool: search"), 6, "only a step of kind tool"),
    (steps("id: a\n    prompt: {user: x}\n    config: {modle: m}"), 6, "unknown key 'modle'; did you mean 'model'?"),
    (steps("id: a\n    prompt: {user: x}\n    config: {tools: [serach]}"), 6, "there is no tool 'serach'"),
    (steps("id: a\n    prompt: {user: x}\n    output_format: json_strict"), 6, "goes with output_type json or table"),
    (steps("id: a\n    prompt: {user: x}\n    output_type: json\n    schema: {type: 5}"), 7, "this is no JSON Schema"),
    (steps("id: a\n    prompt: {user: x}\n    output_type: json\n    schema: {$ref: 'http://x.example'}"), 7,
     "outside of itself"),
    (steps("id: a\n    prompt: {user: x}\n    provider_override: {api_key: sk-1}"), 6, "secret"),
    (steps("id: a\n    prompt: {user: x}\n    id: b"), 6, "the key 'id' stands here twice"),
    ("type: p\nversion: '1\nsteps: []", 2, "no valid YAML"),
    (HEAD + f"budget: {{tokns: 5}}\nsteps: [{{id: a, {MAP}}}]", 3, "budget.tokns"),
    ("- a", 1, "a pipeline is a mapping"),
    ("", 1, "the document is empty"),
    ("type: !!python/object/apply:os.system [id]", 1, ""),
    (HEAD + "steps: .inf", 3, "no JSON"),
]  # fmt: skip


@pytest.fixture(autouse=True)
def _search() -> None:
    @tool
    def search(text: str) -> str:
        """Search."""
        return text

    registry.register_tool(search)


@pytest.mark.parametrize(("text", "line", "message"), CASES, ids=range(len(CASES)))
def test_a_problem_is_told_with_its_line(text: str, line: int, message: str) -> None:
    found = problems(text)
    assert any(one[0] == line and message.lower() in one[1].lower() for one in found), found


def test_all_problems_are_told_at_once() -> None:
    text = steps("{id: a, promt: 1}", "{id: b, kind: nope}", "{id: c, config: 3}")
    assert [line for line, _ in problems(text)] == [4, 5, 6]


def test_json_is_read_as_yaml_is_tabs_and_all() -> None:
    document = {"type": "p", "version": "1", "steps": [{"id": "a", "kind": "map", "prompt": {"user": "x"}}]}
    made = load(json.dumps(document, indent="\t"))
    assert digest_of(made) == digest_of(load(json.dumps(document)))
    broken = json.dumps(document | {"steps": [{"id": "a", "promt": 1}]}, indent="\t")
    assert problems(broken)[0][0] == broken.splitlines().index('\t\t\t"promt": 1') + 1


@pytest.mark.usefixtures("_f")
def test_dates_and_yes_stay_texts() -> None:
    made = load(steps("id: a\n    kind: custom\n    function: f\n    config: {at: 2026-01-31, on: yes, is: true}"))
    assert made.steps[0].config == {"at": "2026-01-31", "on": "yes", "is": True}


@pytest.fixture
def _f() -> None:
    registry.pipeline_step("f")(lambda work: work)


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\n"
        "d: &d [*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e]",
        "a: &a [*a]",
        "[" * 5000,
        "{a: " * 3000,
        "x" * 600_000,
        "a: " + "[1, " * 200,
    ],
    ids=["aliases", "recursive alias", "deep", "deep maps", "long", "unfinished"],
)
def test_a_hostile_document_is_refused_quickly(text: str) -> None:
    started = time.process_time()
    assert problems(text)
    assert time.process_time() - started < 5


def test_a_digest_does_not_depend_on_how_it_is_written() -> None:
    one = load(steps("{id: a, kind: map, prompt: {user: x}}"))
    other: Any = load(HEAD + "parallel: 8\nsteps: [{prompt: {user: x, system: ''}, kind: map, id: a, mode: single}]")
    assert digest_of(one) == digest_of(other)
