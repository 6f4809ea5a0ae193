"""What people decided about a call, as each vendor is told of it over its own wire."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User

from flows.llm.chat import chat
from flows.llm.models import ProviderProfile
from hitl import answers
from runs import clock, jobs
from runs.jobs import StepContext, job
from runs.testing import drain, temporary_jobs
from tests.llm_tools.conftest import driven, question_of
from tests.llm_tools.jobs import called, send_mail
from tests.vendors.process import FakeVendor

CALL = {"turn": 1, "tool_calls": [{"name": "send_mail", "arguments": {"to": "bob", "text": "hi"}}]}


@pytest.fixture
def wire(request: pytest.FixtureRequest, transactional_db: None, vendor: FakeVendor, settings: Any) -> Any:
    """The default profile speaks this wire to the fake vendor; a job chats over it."""
    kind = request.param
    values = {"kind": kind, "base_uri": getattr(vendor, f"{kind}_url"), "default_model": "m", "updated_at": clock.now()}
    ProviderProfile.objects.update_or_create(id="default", defaults=values)
    with temporary_jobs():

        @job("talk")
        async def talk(step: StepContext) -> str:
            return (await chat(step, "draft", "Tell Bob", tools=[send_mail])).text

        yield kind


def decided(team: Group, by: User, decision: str, **answer: Any) -> Any:
    run = jobs.start("talk", {}, team=team).run
    drain(timeout=timedelta(seconds=100))  # the vendor's client is imported here, which takes seconds
    question = question_of(jobs.get(run.id))
    answers.answer(question.id, by, decision, digest=question.digest, **answer)
    return driven(run)


@pytest.mark.parametrize("wire", ["openai", "anthropic"], indirect=True)
def test_a_denial_reaches_the_model_as_such(wire: str, vendor: FakeVendor, team: Group, alice: User) -> None:
    vendor.script([CALL, {"turn": 2, "text": "As you like."}])
    run = decided(team, alice, "deny", comment="Not him.")
    assert (run.status, run.output) == ("completed", "As you like."), run.error
    first, second = vendor.calls()
    assert "send_mail" in json.dumps(first["body"]["tools"])
    told = json.dumps(second["body"]["messages"][-1])
    assert "denied by alice: Not him." in told
    if wire == "anthropic":
        assert '"is_error": true' in told
    assert called["send_mail"] == 0


@pytest.mark.parametrize("wire", ["openai"], indirect=True)
def test_edited_arguments_are_what_runs_and_what_the_model_reads_about(
    wire: str, vendor: FakeVendor, team: Group, alice: User
) -> None:
    vendor.script([CALL, {"turn": 2, "text": "Done."}])
    run = decided(team, alice, "approve", value={"to": "eve"})
    assert (run.status, run.output) == ("completed", "Done."), run.error
    told = json.dumps(vendor.calls()[1]["body"]["messages"][-1])
    assert "sent to eve: " in told
    assert "alice changed the arguments" in told
    assert called["send_mail"] == 1


@pytest.mark.parametrize("wire", ["openai"], indirect=True)
def test_arguments_that_are_no_json_are_asked_for_again(
    wire: str, vendor: FakeVendor, team: Group, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runs.definitions.Retry.delay_seconds", lambda *_: 0.0)
    broken = {"turn": 1, "tool_calls": [{"name": "send_mail", "arguments": '{"to": "bob'}], "times": 1}
    vendor.script([broken, CALL, {"turn": 2, "text": "Done."}])
    run = decided(team, alice, "approve")
    assert (run.status, run.output) == ("completed", "Done."), run.error
    assert len(vendor.calls()) == 3
    assert called["send_mail"] == 1
