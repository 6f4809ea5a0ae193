"""People answer a real server all at once, and hear of its questions by mail and webhook from its workers."""

import json
import re
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx

from tests.e2e import survival
from tests.hitl.listeners import hook_server, mail_server
from tests.servers.installation import Installation

APP = "tests.e2e.asking_app"
CROWD = 50
PEOPLE = """
from django.contrib.auth.models import Group, User
from perdure.accounts.tokens import create_token
team = Group.objects.create(name="crowd")
for number in range({count}):
    user = User.objects.create_user(f"person-{{number}}", email=f"person-{{number}}@example.org")
    user.groups.add(team)
    print("token", create_token(user, "tests"))
print("team", team.pk)
"""


def make_people(server: Installation, count: int) -> tuple[int, list[str]]:
    """A team and the tokens of its people."""
    said = server.manage("shell", "-v0", "-c", PEOPLE.format(count=count)).stdout
    found = re.search(r"^team (\d+)$", said, re.MULTILINE)
    assert found is not None
    return int(found.group(1)), re.findall(r"^token (\S+)$", said, re.MULTILINE)


def ask_team(server: Installation, team: int, path: Path, quorum: int = 1) -> dict[str, Any]:
    """The question of a run that waits for the team."""
    run_id = server.start_run("decide", {"path": str(path), "quorum": quorum}, team=team)
    server.wait_for_status(run_id, "waiting")
    found: dict[str, Any] = server.request("GET", f"/api/questions/?run={run_id}").json()["results"][0]
    return found


def test_of_50_clients_that_answer_at_once_exactly_two_count(
    install: Callable[..., Installation], tmp_path: Path
) -> None:
    server = install(PERDURE_APPS=APP).start()
    team, tokens = make_people(server, CROWD)
    question = ask_team(server, team, tmp_path / "went-on", quorum=2)
    assert len(tokens) == CROWD

    def press(token: str) -> httpx.Response:
        return httpx.post(
            f"{server.base_url}/api/questions/{question['id']}/answer/",
            json={"decision": "approve", "digest": question["digest"]},
            headers={"Authorization": f"Bearer {token}"},
            timeout=60,
            trust_env=False,
        )

    with ThreadPoolExecutor(CROWD) as clients:
        responses = list(clients.map(press, tokens))
    assert Counter(response.status_code for response in responses) == {200: 2, 409: CROWD - 2}
    run = server.wait_for_status(question["run"], "completed", "failed")
    by = run["output"]
    assert len(set(by)) == 2
    errors = [response.json()["error"] for response in responses if response.status_code == 409]
    assert all(error["details"] == {"status": "answered", "by": by} for error in errors)
    assert all(f"answered by {by[0]} and {by[1]}" in error["message"] for error in errors)
    assert (tmp_path / "went-on").read_text() == "approve\n"
    types = Counter(event["type"] for event in server.events(run["id"]))
    assert (types["question:ask"], types["question:answer"], types["signal:consume"]) == (1, 2, 1)


def test_workers_mail_and_post_what_they_are_asked_although_a_server_was_down(
    install: Callable[..., Installation], tmp_path: Path
) -> None:
    port = survival.free_port()
    with hook_server() as hook:
        server = install(
            PERDURE_APPS=APP,
            EMAIL_URL=f"smtp://127.0.0.1:{port}",
            PERDURE_EMAIL_FROM="perdure@perdure.example",
            PERDURE_BASE_URL="https://perdure.example",
            PERDURE_ALLOWED_HOSTS="localhost,127.0.0.1",
            PERDURE_WEBHOOK_URL=hook.url,
            PERDURE_WEBHOOK_SECRET="a secret that is long enough for both",
            PERDURE_WEBHOOK_ALLOW_PRIVATE="true",
        ).start()
        team, tokens = make_people(server, 2)
        question = ask_team(server, team, tmp_path / "went-on")
        survival.wait_for(lambda: hook.requests, 10, "message at the webhook")
        headers, body = hook.requests[0]
        assert json.loads(body)["data"]["url"] == f"https://perdure.example/questions/{question['id']}/"
        assert headers["webhook-signature"].startswith("v1,")
        server.wait_for_line(r"is tried again in 10 s: ConnectionRefusedError", within=10)

        with mail_server(port) as post:
            survival.wait_for(lambda: len(post.messages) == 2, 30, "two mails")
            assert post.to() == ["person-0@example.org", "person-1@example.org"]
            assert post.messages[0]["From"] == "perdure@perdure.example"
            answer = httpx.post(
                f"{server.base_url}/api/questions/{question['id']}/answer/",
                json={"decision": "approve", "digest": question["digest"]},
                headers={"Authorization": f"Bearer {tokens[0]}"},
                trust_env=False,
            )
            assert answer.status_code == 200
            survival.wait_for(lambda: len(post.messages) == 3, 20, "mail of the end")
            assert (post.messages[2]["To"], post.messages[2]["Subject"]) == (
                "person-1@example.org", "Answered: Go on?",
            )  # fmt: skip
        survival.wait_for(lambda: len(hook.requests) == 2, 10, "second message at the webhook")
        assert json.loads(hook.requests[1][1])["type"] == "question.closed"
        assert server.wait_for_status(question["run"], "completed")["output"] == ["person-0"]
