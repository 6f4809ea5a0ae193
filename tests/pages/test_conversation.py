"""The Conversation tab: what models were asked and said, what their tools gave, and what was discarded."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from flows.llm.tools import naming
from perdure.dashboard.run.conversation.calls import StepsBeside, read_calls
from perdure.dashboard.run.conversation.reading import TURNS_SHOWN, read_conversation
from runs import clock, jobs
from runs.models import Attempt, Checkpoint, Run, Step

SignedIn = Callable[..., Client]
Finish = Callable[..., Run]


def reply(text: str = "", *calls: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A recorded reply, as model calls leave it."""
    message = {"role": "assistant", "content": text, "reasoning": more.pop("reasoning", ""), "tool_calls": list(calls)}
    return {"kind": "reply", "message": message, "model": "m-1", "provider_kind": "openai", "usage": {}} | more


def call(name: str = "look", **arguments: Any) -> dict[str, Any]:
    return {"id": f"call-{name}", "name": name, "arguments": arguments}


def said(name: str, output: Any, **more: Any) -> dict[str, Any]:
    return {"name": name, "kind": "stream", "output": output} | more


def page_of(client: Client, run: Run, query: str = "") -> str:
    answer = client.get(f"/runs/{run.pk}/conversation/{query}")
    assert answer.status_code == 200, answer.content
    return answer.content.decode()


def attempt(run: Run, step: str, number: int, outcome: str, **fields: Any) -> Attempt:
    now = clock.now()
    times = {"started_at": now, "ended_at": now}
    return Attempt.objects.create(
        run=run, step_name=step, number=number, epoch=number, outcome=outcome, **(times | fields)
    )


def test_a_turn_says_who_answered_what_it_thought_and_what_it_cost(
    run: Run, owner: User, signed_in: SignedIn, finish: Finish
) -> None:
    finish(run, steps=[said("answer", reply("# Bern\n\nIt **rains**.", reasoning="Look outside."))])
    usage = {"model": "m-1", "input_tokens": 1204, "output_tokens": 350, "reasoning_tokens": 90, "cost": 0.0031}
    attempt(run, "answer", 1, "completed", usage=usage)
    page = page_of(signed_in(owner), run)
    assert "<h1>Bern</h1>" in page
    assert "Look outside." in page
    assert "m-1" in page
    assert "1,204 tokens in, 350 out (90 of them reasoning)" in page
    assert "$0.0031" in page


def test_tool_calls_stand_with_their_arguments_and_results(
    run: Run, owner: User, signed_in: SignedIn, finish: Finish
) -> None:
    steps = [
        said("answer", reply("", call("look", city="Bern"), call("runner___ask"), call("gone"))),
        {
            "name": "answer: calls#1",
            "output": [{"problem": ""}, {"needs_approval": True}, {"problem": "No such tool."}],
        },
        {"name": "answer: look#1.1", "output": "rain"},
        {"name": "answer: runner___ask#1.2: approval", "output": {"id": "1"}},
        said("answer #2", reply("It rains.")),
    ]
    finish(run, steps=steps)
    page = page_of(signed_in(owner), run)
    assert "&quot;city&quot;: &quot;Bern&quot;" in page
    assert ">rain</pre>" in page
    assert "<code>runner/ask</code>" in page
    assert "Waits for approval" in page
    assert "No such tool." in page
    assert "Turn 2" in page


@pytest.mark.parametrize(
    ("plan", "steps", "state", "result"),
    [
        ({}, {}, "planned", ""),
        ({"problem": "unfit"}, {}, "refused", "unfit"),
        ({"by_client": True}, {}, "client", ""),
        ({}, {"": ("running", None)}, "running", ""),
        ({}, {"": ("retrying", None)}, "running", ""),
        ({}, {"": ("completed", {"text": "fine", "state": {}})}, "completed", "fine"),
        ({}, {"": ("failed", None)}, "failed", "look failed with OSError: gone"),
        ({}, {"": ("stopped", None)}, "cancelled", ""),
        ({}, {": approval": ("completed", {"id": "1"})}, "asked", ""),
        (
            {},
            {": approval": ("completed", {}), ": approval: outcome": ("completed", {"withdrawn": "not now"})},
            "denied",
            "The call was not approved: not now.",
        ),
    ],
)
def test_each_call_says_what_became_of_it(
    plan: dict[str, Any], steps: dict[str, tuple[str, Any]], state: str, result: str
) -> None:
    name = naming.tool_step("answer", 1, 1, "look")
    beside = [Step(name=naming.plan_step("answer", 1), output=[plan])]
    for part, (status, output) in steps.items():
        error = {"type": "OSError", "message": "gone"} if status == "failed" else None
        beside.append(Step(name=name + part, status=status, output=output, error=error))
    (found,) = read_calls("answer", reply("", call()), StepsBeside(beside))
    assert (found.state, found.result, found.is_final) == (state, result, state not in ("planned", "asked", "running"))


def test_arguments_that_people_changed_stand_beside_the_models() -> None:
    name = naming.tool_step("answer", 1, 1, "look")
    outcome = {"decision": "approve", "value": {"city": "Basel"}, "answers": [{"by": "o", "value": {"city": "Basel"}}]}
    beside = [
        Step(name=naming.plan_step("answer", 1), output=[{"needs_approval": True}]),
        Step(name=f"{name}: approval: outcome", output=outcome),
        Step(name=name, status="completed", output="sun"),
    ]
    (found,) = read_calls("answer", reply("", call(city="Bern")), StepsBeside(beside))
    assert (found.arguments, found.approved) == ({"city": "Bern"}, {"city": "Basel"})


def test_discarded_attempts_are_marked_with_why_and_what_they_had_said(
    run: Run, owner: User, signed_in: SignedIn, finish: Finish
) -> None:
    finish(run, steps=[said("answer", reply("Second."), attempts=3)])
    attempt(run, "answer", 1, "failed", error={"type": "MalformedAnswer", "message": "not JSON"})
    attempt(run, "answer", 2, "lost", usage={"input_tokens": 10, "output_tokens": 2, "counted_by": "estimate"})
    attempt(run, "answer", 3, "completed")
    state = {"rejected": {"text": "First <b>try</b>", "problem": "not JSON"}}
    Checkpoint.objects.create(
        run=run, step_name="answer", number=1, attempt=1, state=state, size=9, created_at=clock.now()
    )
    page = page_of(signed_in(owner), run)
    assert "Attempt 1 was discarded" in page
    assert "MalformedAnswer: not JSON" in page
    assert "First &lt;b&gt;try&lt;/b&gt;" in page
    assert "Attempt 2 was discarded" in page
    assert "Its worker died." in page
    assert "about 10 tokens in, 2 out" in page
    assert "Attempt 3 was discarded" not in page


def test_a_failed_turn_tells_its_error_once(run: Run, owner: User, signed_in: SignedIn, finish: Finish) -> None:
    error = {"type": "Refused", "message": "no more"}
    finish(run, "failed", steps=[said("answer", None, status="failed", error=error)])
    attempt(run, "answer", 1, "failed", error=error)
    page = page_of(signed_in(owner), run)
    assert page.count("Refused: no more") == 1
    assert "was discarded" not in page


def test_the_chat_of_a_frontend_begins_with_its_messages(owner: User, signed_in: SignedIn, finish: Finish) -> None:
    messages = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi"}]
    run = jobs.start("chat-agent", {"messages": messages, "text": "And <now>?"}, owner=owner).run
    finish(run, steps=[said("answer", reply("Now."))])
    page = page_of(signed_in(owner), run)
    places = [page.index(text) for text in (">Hello<", ">Hi<", "And &lt;now&gt;?", "Now.")]
    assert places == sorted(places)
    assert "olga" in page


def test_a_flows_turn_stands_after_its_instruction(owner: User, signed_in: SignedIn, finish: Finish) -> None:
    run = Run.objects.get(pk=jobs.start("page-nothing", owner=owner).run.pk)
    Run.objects.filter(pk=run.pk).update(job="agent-flow", input={"flow": "loop", "task": "Write it"})
    run.refresh_from_db()
    steps = [
        {"name": "1. write: instruction", "output": {"system": "You write.", "instruction": "Write now."}},
        said("1. write", reply("Written.")),
        said("2. review / style", reply("Good.")),
    ]
    finish(run, steps=steps)
    found = read_conversation(run)
    assert [prompt.text for prompt in found.opening] == ["Write it"]
    first, second = found.talks
    assert (first.title, first.place) == ("write", "iteration 1")
    assert [prompt.text for prompt in first.prompts] == ["You write.", "Write now."]
    assert (second.title, second.prompts) == ("review / style", ())


def test_a_long_conversation_is_shown_a_page_at_a_time(
    run: Run, owner: User, signed_in: SignedIn, finish: Finish
) -> None:
    count = TURNS_SHOWN + 5
    finish(run, steps=[said(naming.model_step("answer", turn), reply(f"said {turn}.")) for turn in range(1, count + 1)])
    client = signed_in(owner)
    page = page_of(client, run)
    assert "Show earlier turns (5)" in page
    assert "goes on from 5 earlier turns" in page
    assert ("said 5." in page, "said 6." in page) == (False, True)
    found = re.search(r'href="(\?before=\d+)"', page)
    assert found
    earlier = page_of(client, run, found[1])
    assert ("said 5." in earlier, "said 6." in earlier) == (True, False)


def test_a_page_holds_the_beginning_of_a_very_long_text_and_gives_the_rest_when_asked(
    run: Run, owner: User, stranger: User, signed_in: SignedIn, finish: Finish
) -> None:
    text = "# <b>\n" + "word " * 300_000 + "end"
    finish(run, steps=[said("answer", text), {"name": "other", "output": "not streamed"}])
    page = page_of(signed_in(owner), run)
    assert len(page) < 100_000
    address = f"/runs/{run.pk}/conversation/?text={run.steps.get(name='answer').pk}"
    assert address in page
    answer = signed_in(owner).get(address)
    assert (answer.content.decode(), answer["Content-Type"]) == (text, "text/plain; charset=utf-8")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert signed_in(stranger).get(address).status_code == 404
    for wrong in (run.steps.get(name="other").pk, ""):
        assert signed_in(owner).get(f"/runs/{run.pk}/conversation/?text={wrong}").status_code == 404


def test_the_script_reads_what_follows_a_turn_alone(run: Run, owner: User, signed_in: SignedIn, finish: Finish) -> None:
    finish(run, "waiting", steps=[said("a", "one"), said("b", None, status="running")])
    second = run.steps.get(name="b")
    part = page_of(signed_in(owner), run, f"?part&since={second.pk}")
    assert "<html" not in part
    assert f'data-id="{second.pk}"' in part
    assert 'data-turn="a"' not in part
    assert "data-final" not in part


def test_secrets_are_masked_in_what_was_said_and_asked(owner: User, signed_in: SignedIn, finish: Finish) -> None:
    order = {"title": "t", "count": 1, "password": "hunter2", "address": {"street": "s", "number": 1}}
    run = jobs.start("page-order", order, owner=owner).run
    calls = reply("", call("look", token="hunter2"))
    steps = [
        said("answer", calls, secrets=[["message", "tool_calls", 0, "arguments", "token"]]),
        {"name": "answer: look#1.1", "output": "hunter2", "secrets": [[]]},
    ]
    finish(run, steps=steps)
    page = page_of(signed_in(owner), run)
    assert "hunter2" not in page
    assert page.count("***") >= 3


def test_nobody_of_another_team_reads_a_conversation(
    run: Run, owner: User, member: User, stranger: User, signed_in: SignedIn, finish: Finish
) -> None:
    finish(run, steps=[said("answer", reply("Private."))])
    assert "Private." in page_of(signed_in(member), run)
    for address in (f"/runs/{run.pk}/conversation/", f"/runs/{run.pk}/conversation/?part&since=0"):
        assert signed_in(stranger).get(address).status_code == 404
        assert Client().get(address).status_code == 302
    for wrong in ("?before=x", "?since=-1", "?before=9999999999999999999"):
        assert signed_in(owner).get(f"/runs/{run.pk}/conversation/{wrong}").status_code == 400


def test_what_is_recorded_runs_and_loads_nothing(run: Run, owner: User, signed_in: SignedIn, finish: Finish) -> None:
    bad = "# x\n\n<script>alert(1)</script> ![p](https://evil.example/x.png) [l](javascript:alert(3))"
    steps = [said("<b>", reply(bad, call("<i>", x="<script>alert(2)</script>"), reasoning=bad))]
    finish(run, steps=steps)
    page = page_of(signed_in(owner), run)
    for sign in ("<script>alert", "<img", 'href="javascript', "<i>", "<b>&"):
        assert sign not in page


def test_a_run_in_which_nobody_speaks_says_so(run: Run, owner: User, team: Group, signed_in: SignedIn) -> None:
    page = page_of(signed_in(owner), run)
    assert "Nothing is said yet" in page
    other = signed_in(owner).get(f"/runs/{run.pk}/").content.decode()
    assert "/conversation/" not in other
