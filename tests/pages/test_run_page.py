"""The run page: what is recorded, as every door shows it."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from perdure.dashboard.run.sentences import status_sentence
from runs import jobs
from runs.models import Audit, Event, Run, RunStatus, Step

SignedIn = Callable[..., Client]
HOSTILE = (
    "# Title\n\n<script>alert(1)</script> <img src=x onerror=alert(2)> [link](javascript:alert(3)) "
    "![picture](https://evil.example/x.png)\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"
)


def state_of(page: str) -> dict[str, Any]:
    found = re.search(r'<script id="run-state" type="application/json">(.*?)</script>', page)
    assert found
    state: dict[str, Any] = json.loads(found.group(1))
    return state


def test_the_first_paint_holds_every_event_up_to_its_sequence(run: Run, owner: User, signed_in: SignedIn) -> None:
    page = signed_in(owner).get(f"/runs/{run.pk}/log/").content.decode()
    assert state_of(page)["lastSequence"] == run.last_sequence >= 1
    assert f'data-last-sequence="{run.last_sequence}"' in page
    assert re.findall(r'data-sequence="(\d+)"', page) == [str(n) for n in range(1, run.last_sequence + 1)]


def test_recorded_markdown_is_rendered_without_anything_that_runs_or_loads(
    run: Run, owner: User, signed_in: SignedIn, finish: Callable[..., Run]
) -> None:
    finish(run, output=HOSTILE, steps=[{"name": "write", "kind": "stream", "output": HOSTILE + "more"}])
    client = signed_in(owner)
    for address in (f"/runs/{run.pk}/", f"/runs/{run.pk}/step/?name=write"):
        page = client.get(address).content.decode()
        assert "<h1>Title</h1>" in page
        assert "<td>1</td>" in page
        assert "<script>alert" not in page
        assert "<img" not in page
        assert 'href="javascript' not in page


def test_a_recorded_diff_is_shown_line_by_line_in_stream_and_result(
    run: Run, owner: User, signed_in: SignedIn, finish: Callable[..., Run]
) -> None:
    diff = "--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-<b>\n+\u202ex\n"
    steps = [{"name": "diff a.py", "kind": "stream", "output": diff + " y\n"}]
    finish(run, output={"diff": diff}, steps=steps)
    page = signed_in(owner).get(f"/runs/{run.pk}/").content.decode()
    assert page.count('<span class="remove" data-old="1">-&lt;b&gt;\n</span>') == 2
    assert page.count('<span class="add" data-new="1">+\\u202ex\n</span>') == 2
    assert " y\n</span>" in page


def test_secrets_are_masked_everywhere(owner: User, signed_in: SignedIn, finish: Callable[..., Run]) -> None:
    order = {"title": "t", "count": 1, "password": "hunter2", "address": {"street": "s", "number": 1}}
    run = jobs.start("page-order", order, owner=owner).run
    finish(
        run,
        output={"key": "hunter2"},
        secrets=run.secrets | {"output": [["key"]]},
        steps=[{"name": "log-in", "output": {"token": "hunter2"}, "secrets": [["token"]]}],
    )
    client = signed_in(owner)
    for address in ("/", "/runs/", f"/runs/{run.pk}/", f"/runs/{run.pk}/step/?name=log-in", f"/runs/{run.pk}/log/"):
        assert "hunter2" not in client.get(address).content.decode()
    assert "***" in client.get(f"/runs/{run.pk}/").content.decode()


def test_a_run_is_cancelled_with_its_reason_by_the_person_who_asked(
    run: Run, member: User, signed_in: SignedIn
) -> None:
    client = signed_in(member)
    answer = client.post(f"/runs/{run.pk}/cancel/", {"reason": "wrong folder"}, follow=True)
    assert "The run is cancelled." in answer.content.decode()
    run.refresh_from_db()
    assert run.status == RunStatus.CANCELLED
    event = Event.objects.get(run=run, type="run:cancel")
    assert (event.data["reason"], event.data["actor"]["name"]) == ("wrong folder", "mika")


def test_a_refusal_is_told_and_changes_nothing(run: Run, owner: User, signed_in: SignedIn) -> None:
    client = signed_in(owner)
    delete = client.post(f"/runs/{run.pk}/delete/", follow=True)
    assert "Cancel it or wait for its end" in delete.content.decode()
    resume = client.post(f"/runs/{run.pk}/resume/", follow=True)
    assert "Resume only a paused run" in resume.content.decode()
    jobs.cancel(run.pk)
    again = client.post(f"/runs/{run.pk}/cancel/", follow=True)
    assert "Start a new run instead" in again.content.decode()
    assert Event.objects.filter(run=run, type="run:cancel").count() == 1


def test_an_ended_run_is_deleted_and_the_trace_stays(run: Run, owner: User, signed_in: SignedIn) -> None:
    jobs.cancel(run.pk)
    client = signed_in(owner)
    assert "Delete run" in client.get(f"/runs/{run.pk}/").content.decode()
    answer = client.post(f"/runs/{run.pk}/delete/", follow=True)
    assert answer.redirect_chain == [("/runs/", 302)]
    assert not Run.objects.filter(pk=run.pk).exists()
    assert Audit.objects.filter(target=str(run.pk), action="run.delete", actor_name="olga").exists()


@pytest.mark.parametrize(
    ("status", "reason", "said"),
    [
        ("waiting", "no_worker_for_version", "Waiting: no worker has version 1 of this job. Start one that has."),
        ("queued", "no_worker_for_version", "Queued: no worker has version 1 of this job. Start one that has."),
        ("queued", "no_worker_for_queue", "Queued: no worker serves queue default. Start one that does."),
        ("waiting", "signal", "Waiting for a signal."),
        ("waiting", "signal approve", "Waiting for signal approve."),
        ("waiting", "child report", "Waiting for a child run of report."),
        ("waiting", "sleep over night", "Waiting for the end of its sleep over night."),
        ("paused", "crash_loop", "Paused: crash_loop"),
        ("paused", "job_not_found", "Paused: job_not_found — no code of its job is registered"),
        ("running", "", "Running step 2: second."),
        ("completed", "", "Completed after 2 steps."),
        ("failed", "", "Failed with ValueError."),
        ("cancelled", "", "Cancelled."),
    ],
)
def test_one_sentence_says_what_a_run_does_or_why_it_does_not(status: str, reason: str, said: str, run: Run) -> None:
    run.status, run.reason, run.error = status, reason, {"type": "ValueError", "message": "no"}
    steps = [Step(name="first", status="completed"), Step(name="second", status="running")]
    assert status_sentence(run, steps).startswith(said)


def test_a_step_of_any_name_can_be_opened(
    run: Run, owner: User, team: Group, signed_in: SignedIn, finish: Callable[..., Run]
) -> None:
    name = 'analyse src/ä & "b"?.py'
    finish(run, steps=[{"name": name, "output": {"lines": 3}}])
    client = signed_in(owner)
    page = client.get(f"/runs/{run.pk}/steps/").content.decode()
    link = re.search(r'data-step="[^"]+" [^>]*href="([^"]+)"', page)
    assert link
    detail = client.get(f"/runs/{run.pk}/steps/" + link.group(1).replace("&amp;", "&"))
    assert '"lines": 3' in detail.content.decode()
    assert client.get(f"/runs/{run.pk}/step/?name=other").status_code == 404
    assert client.get(f"/runs/{run.pk}/step/?name=%00").status_code == 400


@pytest.mark.parametrize("after", ["-1", "x", "9" * 30])
def test_a_bad_number_in_the_log_is_answered_with_400(after: str, run: Run, owner: User, signed_in: SignedIn) -> None:
    assert signed_in(owner).get(f"/runs/{run.pk}/log/?after={after}").status_code == 400


def test_pages_run_no_inline_code(run: Run, owner: User, signed_in: SignedIn) -> None:
    client = signed_in(owner)
    for address in ("/", "/runs/", f"/runs/{run.pk}/", "/start/page-order/", "/nothing-here/"):
        answer = client.get(address)
        assert "script-src 'self'" in answer["Content-Security-Policy"]
        page = answer.content.decode()
        scripts = re.findall(r"<script(?![^>]*(?:src=|application/json))", page)
        assert not scripts
        assert not re.findall(r"<[^>]+ (?:on\w+|style)=", page)
