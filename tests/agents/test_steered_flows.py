"""A running flow is looked at, told something, let go on step by step, over REST and from its page."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from flows.agents import stored
from runs import jobs
from runs.models import Run, RunStatus, Step
from runs.testing import drain
from tests.agents.flow_runs import begin
from tests.engine.driver import until
from tests.pipelines.people import member

pytestmark = pytest.mark.django_db(transaction=True)

FLOW = """
name: look-closely
personas: {writer: You write.}
interventions: %s
steps:
  - name: draft
    persona: writer
    rules: [{condition: "<b>drafted</b>", next: check}]
  - name: check
    parallel:
      - {name: facts, persona: writer, rules: [{condition: good}]}
      - {name: tone, persona: writer, rules: [{condition: good}, {condition: bad}]}
    rules: [{condition: 'all("good")', next: COMPLETE}, {condition: 'any("bad")', next: draft}]
"""
NEXT_STEP, INTERRUPT = FLOW % "next_step", FLOW % "interrupt"
SCENARIO = [
    {"content": "first <script>alert(1)</script> [DRAFT:1]"},
    {"content": "[FACTS:1]"},
    {"content": "[TONE:2]"},
    {"content": "second [DRAFT:1]"},
    {"content": "[FACTS:1]"},
    {"content": "[TONE:1]"},
]


@pytest.fixture
def run() -> Run:
    """One that waits before its second iteration."""
    made = begin(NEXT_STEP, SCENARIO, single_step=True)
    drain()
    return made


@pytest.fixture
def ann() -> Client:
    return _client("ann", "team")


def _client(name: str, *teams: str) -> Client:
    client = Client()
    client.force_login(member(name, *teams))
    return client


def _post(client: Client, run: Run, what: str, body: dict[str, Any]) -> Any:
    return client.post(f"/api/flows/runs/{run.id}/{what}/", body, content_type="application/json")


def test_rest_says_where_a_flow_stands_and_lets_it_go_on(run: Run, ann: Client) -> None:
    stands = ann.get(f"/api/flows/runs/{run.id}/").json()
    assert (stands["flow"], stands["path"], stands["current"], stands["is_chosen"]) == (
        "look-closely", ["draft"], "check", True,
    )  # fmt: skip
    assert (stands["waits_before"], stands["single_step"], stands["status"]) == (2, True, "waiting")
    assert [node["name"] for node in stands["graph"]["nodes"]] == ["draft", "check", "COMPLETE"]
    assert _post(ann, run, "continue", {"mode": "step"}).status_code == 202
    drain()
    stands = ann.get(f"/api/flows/runs/{run.id}/").json()
    assert (stands["path"], stands["waits_before"]) == (["draft", "check"], 3)
    assert stands["subs"] == [
        {"name": "facts", "status": "completed", "condition": "good"},
        {"name": "tone", "status": "completed", "condition": "bad"},
    ]
    assert stands["transitions"][-1]["method"] == "aggregate"
    assert _post(ann, run, "continue", {"mode": "run"}).status_code == 202
    drain()
    stands = ann.get(f"/api/flows/runs/{run.id}/").json()
    assert (stands["status"], stands["current"], stands["visits"]) == ("completed", None, {"draft": 2, "check": 2})
    assert {"source": "draft", "target": "check", "count": 2} in stands["taken"]


def test_a_message_stands_in_the_next_instruction_and_says_when_it_was_delivered(run: Run, ann: Client) -> None:
    told = _post(ann, run, "tell", {"text": "Mind the {tone}.", "idempotency_key": "a"})
    assert (told.status_code, told.json()["delivery"], told.json()["actor"]["name"]) == (202, "waiting", "ann")
    again = _post(ann, run, "tell", {"text": "Mind the {tone}.", "idempotency_key": "a"})
    assert again.json()["id"] == told.json()["id"]
    _post(ann, run, "continue", {"mode": "run"})
    drain()
    [message] = ann.get(f"/api/flows/runs/{run.id}/").json()["messages"]
    assert (message["delivery"], message["iteration"], message["policy"]) == ("delivered", 2, "next_step")
    instruction = Step.objects.get(run=run, name="2. check / facts: instruction").output["instruction"]
    assert "Mind the \N{FULLWIDTH LEFT CURLY BRACKET}tone\N{FULLWIDTH RIGHT CURLY BRACKET}." in instruction


def test_the_mode_can_be_switched_while_a_flow_waits(run: Run, ann: Client) -> None:
    assert _post(ann, run, "single-step", {"on": False}).status_code == 202
    _post(ann, run, "continue", {"mode": "step"})
    drain()
    assert jobs.get(run.id).status == RunStatus.COMPLETED


def test_what_cannot_be_done_is_refused_with_its_remedy(run: Run, ann: Client) -> None:
    refused = _post(ann, run, "tell", {"text": "Stop.", "policy": "interrupt"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "interrupts_refused")
    for what, body in (
        ("tell", {}),
        ("tell", {"text": "x", "to": 1}),
        ("continue", {"mode": "x"}),
        ("single-step", {}),
    ):
        assert _post(ann, run, what, body).status_code == 400
    _post(ann, run, "continue", {"mode": "run"})
    drain()
    for what, body in (("tell", {"text": "x"}), ("continue", {}), ("single-step", {"on": True})):
        refused = _post(ann, run, what, body)
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "run_already_ended")
    other = begin(INTERRUPT, SCENARIO)
    assert _post(ann, other, "continue", {}).json()["error"]["code"] == "flow_not_waiting"


def test_an_interrupt_that_finds_no_agent_at_work_is_heard_at_the_next_step(ann: Client) -> None:
    run = begin(INTERRUPT, SCENARIO, single_step=True)
    drain()
    assert _post(ann, run, "tell", {"text": "Stop."}).json()["policy"] == "next_step"
    _post(ann, run, "continue", {"mode": "run"})
    drain()
    assert jobs.get(run.id).output["path"] == ["draft", "check", "draft", "check"]


DOORS: list[Callable[[Client, Run], Any]] = [
    lambda client, run: client.get(f"/api/flows/runs/{run.id}/"),
    lambda client, run: _post(client, run, "tell", {"text": "x"}),
    lambda client, run: _post(client, run, "continue", {}),
    lambda client, run: _post(client, run, "single-step", {"on": True}),
]


@pytest.mark.parametrize("door", DOORS)
def test_only_who_sees_a_run_finds_it(run: Run, door: Callable[[Client, Run], Any]) -> None:
    assert door(Client(), run).status_code == 401
    assert door(_client("sven", "others"), run).status_code == 404
    assert door(_client("mika", "team"), run).status_code in (200, 202)
    other = jobs.start("pipeline", {"pipeline": "x"}, owner=member("ann", "team")).run
    assert door(_client("ann", "team"), other).status_code == 404


PAGES = {"tell": {"tell-text": "Hello", "tell-token": "x" * 24}, "continue": {"mode": "step"}, "stepping": {"on": "no"}}


@pytest.mark.parametrize("what", PAGES)
def test_the_buttons_of_the_page_are_for_the_team_alone(run: Run, what: str) -> None:
    address = f"/runs/{run.id}/flow/{what}/"
    assert Client().post(address, PAGES[what]).status_code == 302
    assert "/sign-in/" in Client().post(address, PAGES[what])["Location"]
    assert _client("sven", "others").post(address, PAGES[what]).status_code == 404
    answer = _client("mika", "team").post(address, PAGES[what])
    assert (answer.status_code, answer["Location"]) == (302, f"/runs/{run.id}/")
    assert _client("mika", "team").get(address).status_code == 405


def test_the_page_shows_the_graph_the_way_and_why_and_escapes_what_agents_wrote(run: Run, ann: Client) -> None:
    ann.post(f"/runs/{run.id}/flow/tell/", {"tell-text": "<i>Hello</i>", "tell-token": "x" * 24})
    page = ann.get(f"/runs/{run.id}/").content.decode()
    assert 'data-node="check" data-current="next"' in page
    assert "Waits for a look" in page
    assert "One step" in page
    assert "draft → check: &lt;b&gt;drafted&lt;/b&gt;" in page
    assert "by the agent&#x27;s tag, rule 1" in page
    assert "&lt;i&gt;Hello&lt;/i&gt;" in page
    assert "waits for the next step" in page
    for raw in ("<b>drafted", "<i>Hello", "<script>alert"):
        assert raw not in page
    ann.post(f"/runs/{run.id}/flow/continue/", {"mode": "run"})
    drain()
    page = ann.get(f"/runs/{run.id}/").content.decode()
    assert "delivered at iteration 2" in page
    assert "data-current" not in page
    assert "facts</span>" in page
    assert "matched good" in page
    assert "Tell the agents" not in page


def test_a_message_that_does_not_fit_is_shown_again(run: Run, ann: Client) -> None:
    answer = ann.post(f"/runs/{run.id}/flow/tell/", {"tell-text": "", "tell-token": "x" * 24})
    assert (answer.status_code, "This field is required" in answer.content.decode()) == (400, True)
    assert ann.post(f"/runs/{run.id}/flow/continue/", {"mode": "other"}).status_code == 400


def test_a_step_shows_its_instruction_as_it_was_sent(run: Run, ann: Client) -> None:
    page = ann.get(f"/runs/{run.id}/step/", {"name": "1. draft"}).content.decode()
    assert "exactly as it was sent" in page
    assert "Step: draft" in page.replace("`", "")
    assert "You write." in page
    assert "<script>alert" not in page


def test_a_run_whose_definition_is_gone_still_has_a_page(run: Run, ann: Client) -> None:
    Run.objects.filter(id=run.id).update(input={"flow": "gone", "definition": "0" * 64})
    page = ann.get(f"/runs/{run.id}/").content.decode()
    assert "its graph is not shown" in page
    assert "draft → check" in page
    assert ann.get(f"/api/flows/runs/{run.id}/").json()["graph"] is None


@pytest.fixture
def stored_flow() -> str:
    stored.store(NEXT_STEP)
    return "/flows/look-closely/"


def test_a_flow_is_looked_at_and_started_from_its_page(stored_flow: str, ann: Client) -> None:
    listed = ann.get("/start/agent-flow/").content.decode()
    assert (stored_flow in listed, '<form class="stack"' in listed) == (True, False)
    assert "scenario_key" not in ann.get("/schedules/new/agent-flow/").content.decode()
    page = ann.get(stored_flow).content.decode()
    assert 'data-node="draft" data-current="next"' not in page
    assert "&lt;b&gt;drafted&lt;/b&gt;" in page
    sent = {"flow-task": "Look.", "flow-single_step": "on", "flow-max_steps": "2", "flow-token": "x" * 24}
    answer = ann.post(stored_flow, sent)
    run = Run.objects.get()
    assert answer["Location"] == ann.post(stored_flow, sent)["Location"] == f"/runs/{run.id}/"
    assert (run.input["task"], run.input["single_step"], run.owner.username) == ("Look.", True, "ann")
    assert run.input["max_steps"] == 2
    shown = ann.get(f"/runs/{run.id}/").content.decode()
    assert ("<h1>look-closely</h1>" in shown, "scenario_key" in shown) == (True, False)
    assert ann.post(stored_flow, {"flow-task": ""}).status_code == 400
    assert Run.objects.count() == 1


def test_a_flows_page_needs_sign_in_and_a_flow(stored_flow: str, ann: Client) -> None:
    assert Client().get(stored_flow).status_code == 302
    assert Client().post(stored_flow, {"flow-task": "x"}).status_code == 302
    assert ann.get("/flows/nobody/").status_code == 404


def test_an_agent_at_work_is_interrupted_and_does_its_step_again_with_the_message(ann: Client) -> None:
    slow = [SCENARIO[0] | {"delay_ms": 600_000}, *SCENARIO]
    run = begin(INTERRUPT, slow)
    driving = threading.Thread(target=drain)
    driving.start()
    until(lambda: Step.objects.filter(run=run, name="1. draft", status="running").exists())
    told = _post(ann, run, "tell", {"text": "Not that file."})
    driving.join()
    assert told.json()["policy"] == "interrupt"
    stands = ann.get(f"/api/flows/runs/{run.id}/").json()
    assert (stands["status"], stands["path"]) == ("completed", ["draft", "draft", "check", "draft", "check"])
    assert stands["transitions"][0]["method"] == "interrupt"
    [message] = stands["messages"]
    assert (message["delivery"], message["iteration"]) == ("delivered", 2)
    assert "Not that file." in Step.objects.get(run=run, name="2. draft: instruction").output["instruction"]
