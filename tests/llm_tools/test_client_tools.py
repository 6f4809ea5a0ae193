"""Tools of whoever talks to the model are never called here: calls are handed out, results come back later."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, User

from flows.llm.chat import chat
from flows.llm.models import ProviderProfile
from providers.requests import ToolSpec
from runs import clock, jobs
from runs.errors import InvalidOption
from runs.jobs import StepContext, job
from runs.models import Event, Run, Step
from runs.testing import crash_after, drain, temporary_jobs
from tests.llm_tools.conftest import driven
from tests.llm_tools.jobs import called, look_up, send_mail
from tests.llm_tools.test_chat_loop import decided

PAINT = ToolSpec(name="paint", description="Paint the page.", parameters={"type": "object"})
PAINTS = {"name": "paint", "arguments": {"colour": "green"}, "id": "p"}
LOOKS_UP = {"name": "look_up", "arguments": {"word": "tea"}, "id": "l"}
MAILS = {"name": "send_mail", "arguments": {"to": "bob"}, "id": "m"}


@pytest.fixture
def talking(transactional_db: None) -> Any:
    """A job whose scripted model calls these tools in its first turn; its input are messages after the question."""

    def make(*calls: dict[str, Any], **options: Any) -> None:
        rules = [{"turn": 1, "text": "Let me see.", "tool_calls": list(calls)}, {"turn": 2, "text": "{{tool_result}}"}]
        values = {"kind": "scripted", "extra": {"scenario": {"rules": rules}}, "updated_at": clock.now()}
        ProviderProfile.objects.update_or_create(id="default", defaults=values)

        @job("talk")
        async def talk(step: StepContext, after: list[dict[str, Any]]) -> dict[str, Any]:
            asked = [{"role": "user", "content": "Tell Bob"}, *after]
            answer = await chat(step, "draft", asked, tools=[look_up, send_mail], client_tools=[PAINT], **options)
            return answer.model_dump(include={"text", "pending_calls", "messages", "turns", "finish_reason"})

    with temporary_jobs():
        yield make


def started(team: Group, after: list[dict[str, Any]] | None = None) -> Run:
    run = jobs.start("talk", after or [], team=team).run
    drain()
    return jobs.get(run.id)


def pending(run: Run) -> list[str]:
    assert run.status == "completed", run.error
    return [one["id"] for one in run.output["pending_calls"]]


def test_a_call_of_the_client_ends_the_chat(talking: Any, team: Group) -> None:
    talking(PAINTS)
    run = started(team)
    assert run.output["pending_calls"] == [PAINTS]
    assert (run.output["text"], run.output["turns"]) == ("Let me see.", 1)
    assert not Step.objects.filter(run=run, name__contains="paint").exists()


def test_the_other_calls_of_the_turn_are_performed_first(talking: Any, team: Group, alice: User) -> None:
    talking(PAINTS, LOOKS_UP, MAILS)
    run = started(team)
    assert run.status == "waiting"
    run = decided(run, alice)
    assert pending(run) == ["p"]
    assert called == {"look_up": 1, "send_mail": 1}
    told = [one["tool_call_id"] for one in run.output["messages"] if one["role"] == "tool"]
    assert told == ["l", "m"]
    plan = Step.objects.get(run=run, name="draft: calls#1").output
    assert [one["by_client"] for one in plan] == [True, False, False]
    assert Step.objects.filter(run=run, name="draft: look_up#1.2").exists()


def test_a_later_chat_goes_on_with_the_results_of_the_client(talking: Any, team: Group) -> None:
    talking(PAINTS, LOOKS_UP)
    messages = started(team).output["messages"][1:]
    painted = {"role": "tool", "tool_call_id": "p", "content": "It is green."}
    run = started(team, [*messages, painted])
    assert (run.output["text"], run.output["turns"], pending(run)) == ("It is green.", 1, [])
    assert called == {"look_up": 1}


def test_a_call_of_the_client_in_the_last_turn_is_handed_out(talking: Any, team: Group) -> None:
    talking(PAINTS, max_turns=1)
    assert pending(started(team)) == ["p"]


@pytest.mark.parametrize("after", ["draft", "draft: calls#1", "draft: look_up#1.2", "draft: send_mail#1.3"])
def test_a_crash_makes_no_recorded_call_again(talking: Any, team: Group, alice: User, after: str) -> None:
    talking(PAINTS, LOOKS_UP, MAILS)
    with crash_after(after):
        run = started(team)
        if run.status == "waiting":
            decided(run, alice)
    run = driven(run)
    if run.status == "waiting":
        run = decided(run, alice)
    assert pending(run) == ["p"]
    assert called["send_mail"] == 1
    assert called["look_up"] == 1 or after == "draft: calls#1"  # else the crash may have found it under way
    assert Event.objects.filter(run=run, type="step:start", step="draft").count() == 1


def test_what_is_planned_stays_the_clients(talking: Any, team: Group, monkeypatch: pytest.MonkeyPatch) -> None:
    talking(PAINTS, MAILS)
    run = started(team)
    monkeypatch.setattr("flows.llm.turns._plan", None)
    root = User.objects.create_superuser("root")
    assert pending(decided(run, root)) == ["p"]


def test_no_fork_changes_a_plan_with_calls_of_the_client(talking: Any, team: Group) -> None:
    talking(PAINTS)
    run = started(team)
    with pytest.raises(InvalidOption):
        jobs.fork(run.id, "draft: calls#1", outputs={"draft: calls#1": [{"by_client": False}]})


def test_one_name_is_one_tool(talking: Any, team: Group) -> None:
    @job("talk-twice")
    async def talk(step: StepContext) -> str:
        clients = [ToolSpec(name="look_up")]
        return (await chat(step, "draft", "Tell Bob", tools=[look_up], client_tools=clients)).text

    run = jobs.start("talk-twice", {}, team=team).run
    drain()
    assert jobs.get(run.id).error["type"] == "InvalidTool"
