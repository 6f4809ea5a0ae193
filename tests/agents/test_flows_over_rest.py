"""Flows are listed, checked, stored and started over REST, each by those who may."""

from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client

from flows.agents.models import FlowDefinition
from hitl.models import Question
from runs.models import Audit, Run
from runs.testing import drain

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "/api/flows/"
CALLED = """
name: greet
subflow: {callable: true, params: {tone: {default: kind}}}
steps:
  - {name: hello, ask: {title: 'Say hello in a {var:tone} tone', kind: input}}
"""


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def member() -> Client:
    return client_of(User.objects.create_user("member"))


@pytest.fixture
def author() -> Client:
    user = User.objects.create_user("author", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="add_flowdefinition"))
    return client_of(user)


def post(client: Client, address: str, value: Any) -> Any:
    return client.post(address, value, content_type="application/json")


def test_an_author_stores_a_flow_and_everybody_finds_it(author: Client, member: Client) -> None:
    made = post(author, LIST, {"document": CALLED})
    assert made.status_code == 201
    assert made.headers["Location"].endswith("/api/flows/greet/")
    assert post(author, LIST, {"document": CALLED}).status_code == 201
    assert FlowDefinition.objects.get().creator == User.objects.get(username="author")
    assert Audit.objects.filter(action="flow.store").exists()
    [listed] = [one for one in member.get(LIST).json()["results"] if one["name"] == "greet"]
    assert (listed["steps"], listed["params"]) == (["hello"], {"tone": {"description": "", "default": "kind"}})
    shown = member.get("/api/flows/greet/?version=1").json()
    assert shown["digest"] == FlowDefinition.objects.get().digest
    assert shown["graph"]["edges"] == [
        {"source": "hello", "target": "COMPLETE", "label": "", "rule_index": None, "kind": "next"}
    ]
    assert shown["definition"]["steps"][0]["ask"]["kind"] == "input"


def test_another_document_under_a_stored_version_is_refused(author: Client) -> None:
    post(author, LIST, {"document": CALLED})
    other = post(author, LIST, {"document": CALLED.replace("kind}}", "cold}}")})
    assert (other.status_code, other.json()["error"]["code"]) == (409, "flow_exists")


def test_only_staff_with_the_permission_store_and_nobody_unknown_reads(member: Client) -> None:
    staff = client_of(User.objects.create_user("staff", is_staff=True))
    for client in (member, staff):
        assert post(client, LIST, {"document": CALLED}).status_code == 403
    for address in (LIST, "/api/flows/greet/"):
        assert Client().get(address).status_code == 401
    for address in (LIST, "/api/flows/check/", "/api/flows/greet/start/"):
        assert post(Client(), address, {"document": CALLED}).status_code == 401
    assert not FlowDefinition.objects.exists()


def test_a_document_is_checked_and_not_stored(member: Client) -> None:
    assert post(member, "/api/flows/check/", {"document": CALLED}).json() == {
        "valid": True, "problems": [], "name": "greet", "version": "1",
    }  # fmt: skip
    broken = CALLED.replace("kind: input}}", "kind: input}, default: helo}")
    [problem] = post(member, "/api/flows/check/", {"document": broken}).json()["problems"]
    assert (problem["line"], problem["step"]) == (5, "hello")
    assert problem["message"] == "there is no step 'helo'; did you mean 'hello'?"
    assert not FlowDefinition.objects.exists()


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (CALLED.replace("hello, ", "hello, persona: /etc/passwd, "), "a step is one thing"),
        ("name: f\nsteps: [{name: a, persona: ../../etc/passwd.md}]", "a stored flow has none"),
        ("name: f\nsteps: [{name: a, persona: x y, instruction: secrets.yaml}]", "a stored flow has none"),
        ("name: f\nsteps: [{name: a, persona: x y, permission_mode: full}]", "only an app's file may say"),
        ("name: f\npersonas: {p: {profile: nobody}}\nsteps: [{name: a, persona: p}]", "no provider profile 'nobody'"),
        ("name: f\nsteps: [{name: a, function: os.system}]", "there is no function"),
        ("name: runs\nsteps: [{name: a, persona: x y}]", "no flow may be called 'runs'"),
        ("name: " + "x" * 600_000, "longer than"),
        ("{" * 5000, "nested too deeply"),
        ("a: &a [*a]", ""),
    ],
)
def test_what_a_stored_flow_may_not_say_is_refused(author: Client, document: str, message: str) -> None:
    answer = post(author, LIST, {"document": document})
    assert answer.status_code == 400
    assert message in str(answer.json()["error"])
    assert "root:" not in answer.content.decode()
    assert not FlowDefinition.objects.exists()


def test_a_member_starts_a_flow_which_the_team_sees_and_strangers_do_not(author: Client, member: Client) -> None:
    post(author, LIST, {"document": CALLED})
    team = Group.objects.create(name="crew")
    User.objects.get(username="member").groups.add(team)
    body = {"task": "greet us", "vars": {"tone": "loud"}, "team": "crew", "idempotency_key": "once"}
    answer = post(member, "/api/flows/greet/start/", body)
    assert answer.status_code == 201, answer.content
    run = Run.objects.get(pk=UUID(answer.json()["id"]))
    assert (run.labels["flow"], run.owner, run.team) == ("greet", User.objects.get(username="member"), team)
    assert post(member, "/api/flows/greet/start/", body).status_code == 200
    assert client_of(User.objects.create_user("stranger")).get(f"/api/runs/{run.id}/").status_code == 404
    drain()
    assert Question.objects.get(run=run).title == "Say hello in a loud tone"


@pytest.mark.parametrize(
    ("name", "body", "status"),
    [
        ("gret", {}, 404),
        ("gre%00t", {}, 404),
        ("greet", {"version": "9"}, 404),
        ("greet", {"taks": "x"}, 400),
        ("greet", {"max_steps": 0}, 400),
        ("greet", {"language": "fr"}, 400),
        ("greet", {"team": "of others"}, 400),
        ("greet", {"scenario": []}, 400),
        ("greet", {"vars": {"tone": 5}}, 400),
    ],
)
def test_a_start_that_does_not_fit_starts_nothing(
    author: Client, member: Client, name: str, body: dict[str, Any], status: int
) -> None:
    post(author, LIST, {"document": CALLED})
    Group.objects.create(name="of others")
    answer = post(member, f"/api/flows/{name}/start/", body)
    assert answer.status_code == status, answer.content
    assert answer.json()["error"]["message"].endswith(".")
    assert not Run.objects.exists()
