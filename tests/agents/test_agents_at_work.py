"""An agent that is a model at work: its answer, its session, what it cannot do, and that nothing is asked twice."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from flows.agents import spec
from flows.agents.calls import Session
from flows.agents.performing.sessions import Sessions, key_of
from providers.scripted import client
from runs import clock, jobs
from runs.models import Run, Step
from runs.testing import crash_after, drain, temporary_jobs
from tests.agents.at_work import Play, answers_of, step_names
from tests.llm.conftest import profile

__all__ = ["profile"]

pytestmark = pytest.mark.django_db(transaction=True)
Profile = Callable[..., Any]
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


@pytest.fixture(autouse=True)
def _own_world(transactional_db: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    settings.RUNS_UNLOAD_AFTER = 0.05
    monkeypatch.setattr(clock, "_offset", timedelta(0))
    with temporary_jobs():
        yield


def a(name: str = "plan", **fields: Any) -> spec.Step:
    return spec.Step.model_validate({"name": name, "persona": "planner", **fields})


def test_it_answers_and_its_session_goes_on(profile: Profile) -> None:
    profile(rules=[{"text": "so: {{prompt}}"}])
    first, second = Play([a("plan"), a("build")], instruction="Think.").answers()
    assert (first.status, first.content, first.reports, first.error) == ("done", "so: Think.", {}, "")
    assert [one.text for one in second.session.messages] == ["Think.", "so: Think.", "Think.", "so: Think."]
    assert first.usage is not None
    assert first.usage.output_tokens > 0


def test_a_refreshed_session_begins_anew(profile: Profile) -> None:
    profile(rules=[{"text": "hm"}])
    _, second, third = Play([a("x"), a("y", session="refresh"), a("z")]).answers()
    assert len(second.session.messages) == 2
    assert len(third.session.messages) == 4, "what was begun anew is gone on with"


def test_who_shares_a_key_shares_a_session() -> None:
    parent = a("reviews", persona=None, parallel=[a("style"), a("security", session_key="s")])
    assert [key_of(one, parent) for one in parent.parallel] == ["reviews / style", "s"]
    assert key_of(a("other", session_key="s")) == "s"
    assert key_of(a("other")) == "planner"


def test_sessions_can_be_given() -> None:
    given = Sessions({"cli": "abc", "planner": [{"role": "system", "content": "x"}, {"role": "user", "content": "hi"}]})
    assert given.get("cli") == Session(id="abc")
    assert [one.text for one in given.get("planner").messages] == ["hi"]


@pytest.mark.parametrize(
    ("said", "status", "content"),
    [
        ("[BLOCKED]\nQuestion: which one?", "blocked", "Question: which one?"),
        ("I tried.\n  [BLOCKED]  \nWhich?", "blocked", "I tried.\nWhich?"),
        ("It says [BLOCKED] somewhere", "done", "It says [BLOCKED] somewhere"),
    ],
)
def test_blocked_stands_on_a_line_of_its_own(said: str, status: str, content: str) -> None:
    (answer,) = Play([a()], [{"content": said}]).answers()
    assert (answer.status, answer.content) == (status, content)


def test_an_entry_may_be_blocked_or_fail() -> None:
    blocked, failed = Play(
        [a("x"), a("y")], [{"status": "blocked", "content": "need X"}, {"status": "error", "error": "no luck"}]
    ).answers()
    assert (blocked.status, blocked.content) == ("blocked", "need X")
    assert (failed.status, failed.failed_steps) == ("error", ("2. y",))
    assert "no luck" in failed.error
    assert failed.session == blocked.session, "the session is that from before"


def test_a_profile_that_is_missing_is_an_error_of_the_step() -> None:
    (answer,) = Play([a(profile="nowhere")]).answers()
    assert answer.status == "error"
    assert "nowhere" in answer.error


@pytest.mark.parametrize(
    ("step", "asked"),
    [
        ({}, ("mine", "small")),
        ({"model": "large"}, ("mine", "large")),
        ({"profile": "other"}, ("other", None)),
        ({"profile": "other", "model": "large"}, ("other", "large")),
    ],
)
def test_a_step_may_say_another_profile_or_model(
    profile: Profile, monkeypatch: pytest.MonkeyPatch, step: dict[str, Any], asked: tuple[str, str | None]
) -> None:
    models = list[str | None]()
    chat = client.ScriptedClient.chat

    def seen(self: Any, request: Any) -> Any:
        models.append(request.model)
        return chat(self, request)

    monkeypatch.setattr(client.ScriptedClient, "chat", seen)
    for id in ("mine", "other"):
        profile(id, rules=[{"text": id}])
    personas = {"planner": spec.Persona(profile="mine", model="small")}
    (answer,) = Play([a(**step)], personas=personas).answers()
    assert (answer.content, models[0]) == asked


def test_structured_output_is_the_last_block(profile: Profile) -> None:
    said = 'first\n```json\n{"n": 0}\n```\nthen\n```json\n{"n": 3}\n```\n[PLAN:1]'
    (answer,) = Play([a(output_schema=SCHEMA)], [{"content": said}]).answers()
    assert (answer.status, answer.structured, answer.content) == ("done", {"n": 3}, said)


@pytest.mark.parametrize("said", ["no", "```json\n{no\n```", '```json\n{"n": "x"}\n```', '```json\n{"n": NaN}\n```'])
def test_structured_output_that_does_not_fit_is_asked_for_once_more(profile: Profile, said: str) -> None:
    profile(rules=[{"match": "JSON Schema", "json": {"n": 4}}, {"text": said}])
    (answer,) = Play([a(output_schema=SCHEMA)]).answers()
    assert (answer.status, answer.structured, answer.content) == ("done", {"n": 4}, said)
    assert step_names() == ["1. plan", "1. plan: structured"]
    assert len(answer.session.messages) == 4


def test_an_answer_that_is_nothing_but_json_needs_no_block() -> None:
    (answer,) = Play([a(output_schema=SCHEMA)], [{"content": ' {"n": 5}\n'}]).answers()
    assert (answer.status, answer.structured) == ("done", {"n": 5})
    assert step_names() == ["1. plan"]


def test_structured_output_that_never_fits_is_an_error(profile: Profile) -> None:
    (answer,) = Play([a(output_schema=SCHEMA)], [{"content": "nothing"}]).answers()
    assert answer.status == "error"
    assert answer.failed_steps == ("1. plan: structured",)


def test_a_schema_that_refers_elsewhere_fetches_nothing(profile: Profile) -> None:
    schema = {"type": "object", "properties": {"n": {"$ref": "http://127.0.0.1:9/x"}}}
    (answer,) = Play([a(output_schema=schema)], [{"content": '```json\n{"n": 1}\n```'}]).answers()
    assert answer.status == "error"


def test_reports_are_artefacts_by_tool_or_by_answer() -> None:
    reports = [{"name": "plan.md"}, {"name": "facts.json"}]
    entry = {
        "content": "All of it.\n[PLAN:1]",
        "tool_use": [
            {"tool": "write_report", "input": {"name": "facts.json", "content": "{}"}},
            {"tool": "write_report", "input": {"name": "../x", "content": "no"}},
        ],
    }
    run = Play([a(reports=reports)], [entry]).start()
    (answer,) = answers_of(run)
    assert answer.reports == {"plan.md": "All of it.", "facts.json": "{}"}
    kept = {one.name: one for one in jobs.artifacts(run.id)}
    assert {name: one.media_type for name, one in kept.items()} == {
        "plan.md": "text/markdown", "facts.json": "application/json",
    }  # fmt: skip
    assert jobs.read_artifact(run.id, "plan.md") == b"All of it."
    assert {"1. plan: report plan.md", "1. plan: report facts.json"} <= set(step_names())
    refused = Step.objects.get(name="1. plan: write_report#1.2")
    assert refused.status == "failed"
    assert "plan.md, facts.json" in refused.error["message"]


def test_who_is_blocked_leaves_what_it_wrote_before() -> None:
    use = {"tool": "write_report", "input": {"name": "a.md", "content": "half"}}
    step = a(reports=[{"name": "a.md"}, {"name": "b.md"}])
    run = Play([step], [{"status": "blocked", "content": "which?", "tool_use": [use]}]).start()
    (answer,) = answers_of(run)
    assert (answer.status, answer.reports) == ("blocked", {"a.md": "half"})
    assert [one.name for one in jobs.artifacts(run.id)] == ["a.md"]


def test_each_iteration_keeps_its_version_of_a_report() -> None:
    step = a(reports=[{"name": "plan"}])
    run = Play([step, step], [{"content": "one"}, {"content": "two"}]).start()
    assert [one.reports for one in answers_of(run)] == [{"plan": "one"}, {"plan": "two"}]
    assert jobs.read_artifact(run.id, "plan", 1) == b"one"
    assert jobs.read_artifact(run.id, "plan") == b"two"


def test_a_conversation_with_tools_is_told_without_them_where_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = list[list[tuple[str, str]]]()
    chat = client.ScriptedClient.chat

    def seen(self: Any, request: Any) -> Any:
        sent.append([(one.role, one.text) for one in request.messages])
        return chat(self, request)

    monkeypatch.setattr(client.ScriptedClient, "chat", seen)
    used = {"content": "done", "tool_use": [{"tool": "write_report", "input": {"name": "r", "content": "x"}}]}
    steps = [a("x", reports=[{"name": "r"}]), a("y")]
    first, second = Play(steps, [used, {"content": "more"}]).answers()
    assert sent[-1] == [
        ("system", "You are tested."), ("user", "Do it."), ("assistant", "done"), ("user", "Do it."),
    ]  # fmt: skip
    assert second.session.messages[: len(first.session.messages)] == first.session.messages


@pytest.mark.parametrize("dies_after", ["1. plan", "1. plan: calls#1", "1. plan: write_report#1.1", "1. plan #2",
                                        "1. plan: structured", "1. plan: report r"])  # fmt: skip
def test_nothing_that_is_recorded_is_asked_again(
    profile: Profile, monkeypatch: pytest.MonkeyPatch, dies_after: str
) -> None:
    profile(rules=[
        {"match": "JSON Schema", "json": {"n": 1}},
        {"tool_calls": [{"name": "write_report", "arguments": {"name": "r", "content": "told"}}], "turn": 1},
        {"text": "end", "turn": 2},
    ])  # fmt: skip
    asked = list[str]()
    chat = client.ScriptedClient.chat

    def counted(self: Any, request: Any) -> Any:
        asked.append(request.last_user_text)
        return chat(self, request)

    monkeypatch.setattr(client.ScriptedClient, "chat", counted)
    play = Play([a(output_schema=SCHEMA, reports=[{"name": "r"}])])
    with crash_after(dies_after):
        play.start()
    drain()
    run = Run.objects.get()
    (answer,) = answers_of(run)
    assert (answer.structured, answer.reports) == ({"n": 1}, {"r": "told"})
    assert len(asked) == 3
