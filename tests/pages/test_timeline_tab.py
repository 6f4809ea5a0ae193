"""The Timeline tab as the server draws it: chart, table, the drawer of a step, and the rows for the page's script."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from runs import clock, jobs
from runs.models import Attempt, Run, RunStatus, Step

SignedIn = Callable[..., Client]


@pytest.fixture
def told(run: Run, owner: User, finish: Callable[..., Run], monkeypatch: pytest.MonkeyPatch) -> Run:
    """A run with a retried step, a wait of a day and a child run of the owner's."""
    child = jobs.start("page-asks-part", owner=owner, team=run.team).run
    Run.objects.filter(pk=child.pk).update(parent=run)
    steps: list[dict[str, Any]] = [
        {"name": "<call>", "attempts": 2, "status": "completed", "output": {"key": "hunter2"}, "secrets": [["key"]]},
        {"name": "approve", "kind": "signal"},
        {"name": "part", "kind": "child", "status": "running", "output": {"run": str(child.pk)}, "finished_at": None},
    ]
    finish(run, RunStatus.RUNNING, steps=steps)
    begun = run.created_at
    Run.objects.filter(pk=run.pk).update(finished_at=None)
    call, wait = Step.objects.get(run=run, name="<call>"), Step.objects.get(run=run, name="approve")
    _lasts(call, begun, 8)
    _lasts(wait, begun + timedelta(seconds=8), 24 * 3600)
    _lasts(Step.objects.get(run=run, name="part"), wait.finished_at or begun, None)
    for number, (outcome, start, end) in enumerate((("failed", 0, 2), ("completed", 6, 8)), 1):
        times = {"started_at": begun + timedelta(seconds=start), "ended_at": begun + timedelta(seconds=end)}
        Attempt.objects.create(run=run, step_name="<call>", number=number, epoch=1, outcome=outcome, **times)
    monkeypatch.setattr(clock, "now", lambda: begun + timedelta(days=2))
    run.refresh_from_db()
    return run


def _lasts(step: Step, begun: Any, seconds: float | None) -> None:
    step.started_at = begun
    step.finished_at = None if seconds is None else begun + timedelta(seconds=seconds)
    step.save()


@pytest.fixture
def page(told: Run, owner: User, signed_in: SignedIn) -> Callable[..., str]:
    client = signed_in(owner)

    def read(query: str = "", status: int = 200) -> str:
        answer = client.get(f"/runs/{told.pk}/timeline/{query}")
        assert answer.status_code == status
        return answer.content.decode()

    return read


def test_a_lane_tells_work_waits_and_attempts_apart_in_bars_and_in_words(page: Callable[..., str]) -> None:
    found = page()
    assert "completed, worked 4.0 s, waited for another attempt 4.0 s, 2 attempts" in found
    assert "<title>attempt 1 worked 2.0 s (failed)</title>" in found
    assert "waited 24 h 00 min" in found
    assert "&lt;call&gt;" in found
    assert "<call>" not in found
    assert "Idle time is folded" in found
    assert 'class="fold"' in found
    assert 'class="fold"' not in page("?fold=no")


def test_a_child_run_has_its_lanes_below_the_step_that_started_it(page: Callable[..., str]) -> None:
    lanes = re.findall(r'data-depth="(\d)".*?lane-title">(.*?)<', page())
    assert lanes == [("0", "page-nothing"), ("1", "&lt;call&gt;"), ("1", "approve"), ("1", "part"),
                     ("2", "page-asks-part")]  # fmt: skip


def test_of_anothers_child_run_nothing_is_shown(told: Run, page: Callable[..., str], stranger: User) -> None:
    Run.objects.filter(parent=told).update(owner=stranger, team=stranger.groups.get())
    assert "page-asks-part" not in page()
    assert "page-asks-part" not in page("?step=part")


def test_the_same_is_a_table_without_a_chart(page: Callable[..., str]) -> None:
    found = page("?view=table")
    assert "attempt 1 worked 2.0 s (failed); attempt 2 worked 2.0 s (completed)" in found
    assert '<svg class="lane-bars"' not in found
    assert '<td data-label="Waiting">24 h 00 min</td>' in found


def test_zoomed_in_only_lanes_in_sight_are_drawn(page: Callable[..., str]) -> None:
    assert "approve" in page("?zoom=0-1000")
    assert "approve</span>" not in page("?zoom=0-1")
    for bad in ("x", "500-100", "0-1001", "-1-5", "nan-inf", "1-"):
        assert "Use the buttons above the timeline" in page(f"?zoom={bad}", 400)


def test_a_link_opens_a_step_beside_the_timeline_with_its_secrets_masked(page: Callable[..., str]) -> None:
    found = page("?step=%3Ccall%3E")
    assert 'id="step-drawer"' in found
    assert "***" in found
    assert "hunter2" not in found
    assert re.search(r"<aside[^>]* hidden>", page("?step=no-such"))
    assert re.search(r"<aside[^>]* hidden>", page())


def test_the_script_reads_the_same_lanes_as_rows(told: Run, owner: User, signed_in: SignedIn) -> None:
    read = signed_in(owner).get(f"/runs/{told.pk}/timeline/rows/").json()
    assert read["sequence"] == told.last_sequence
    assert [lane[0] for lane in read["lanes"]] == ["page-nothing", "<call>", "approve", "part", "page-asks-part"]
    assert read["lanes"][1][6] == [
        ["working", 0, 2000, 1, "failed"], ["retrying", 2000, 6000, 0, ""], ["working", 6000, 8000, 2, "completed"],
    ]  # fmt: skip
    assert read["plain"] == [[0, read["end"], 0, 1000, False]]


def test_strangers_find_no_timeline_and_the_anonymous_sign_in(told: Run, stranger: User, signed_in: SignedIn) -> None:
    for address in (f"/runs/{told.pk}/timeline/", f"/runs/{told.pk}/timeline/rows/"):
        assert signed_in(stranger).get(address).status_code == 404
        assert Client().get(address).status_code == 302
