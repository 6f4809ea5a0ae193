"""The Steps tab as the server draws it: a page of rows, filters in the address, and rows for the page's script."""

import re
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client

from perdure.dashboard.run.steps.views import PAGE
from runs import jobs
from runs.models import Run, RunStatus, Step

SignedIn = Callable[..., Client]
ERROR = {"type": "OSError", "message": "<gone>"}


@pytest.fixture
def stepped(run: Run, finish: Callable[..., Run]) -> Run:
    return finish(
        run,
        RunStatus.FAILED,
        steps=[
            {"name": 'read "a" & b', "output": {"lines": 3}},
            {"name": "call model", "attempts": 3, "status": "failed", "error": ERROR},
            {"name": "approve", "kind": "signal", "status": "running", "finished_at": None},
        ],
    )


@pytest.fixture
def page(stepped: Run, owner: User, signed_in: SignedIn) -> Callable[..., str]:
    client = signed_in(owner)

    def read(query: str = "", status: int = 200) -> str:
        answer = client.get(f"/runs/{stepped.pk}/steps/{query}")
        assert answer.status_code == status
        return answer.content.decode()

    return read


def shown(page: str) -> list[str]:
    return re.findall(r'data-step="([^"]+)"', page)


def test_each_step_is_a_row_with_its_status_attempts_and_error(page: Callable[..., str]) -> None:
    found = page()
    assert shown(found) == ["read &quot;a&quot; &amp; b", "call model", "approve"]
    assert "OSError: &lt;gone&gt;" in found
    assert "3 attempts" in found
    assert "1 of 3 done" in found
    assert [re.sub(r"\s+", " ", chip) for chip in re.findall(r"</svg>(\w+) <b>(?=\d)", found)] == [
        "All", "Waiting", "Failed", "Completed",
    ]  # fmt: skip


def test_the_address_chooses_steps_by_words_status_and_attempts(page: Callable[..., str]) -> None:
    assert shown(page("?q=MODEL+call")) == ["call model"]
    assert shown(page("?status=waiting")) == ["approve"]
    assert shown(page("?retried=yes")) == ["call model"]
    assert "No step fits." in page("?q=nothing")
    assert "1 of 3 shown" in page("?status=failed")
    assert "Use the buttons above the steps" in page("?status=made-up", 400)


def test_a_link_opens_a_step_with_its_attempts_and_result(page: Callable[..., str]) -> None:
    found = page("?step=read+%22a%22+%26+b")
    assert re.search(r'<aside[^>]*id="step-drawer"[^>]*>', found)
    assert not re.search(r"<aside[^>]* hidden>", found)
    assert "&quot;lines&quot;: 3" in found or "lines" in found


def test_thousands_of_steps_come_a_page_at_a_time(run: Run, owner: User, signed_in: SignedIn) -> None:
    Step.objects.bulk_create(
        Step(run=run, name=f"step {number}", kind="run", status="completed") for number in range(PAGE + 3)
    )
    client = signed_in(owner)
    first = client.get(f"/runs/{run.pk}/steps/").content.decode()
    assert len(shown(first)) == PAGE
    assert f"1 to {PAGE} of {PAGE + 3}" in first
    assert shown(client.get(f"/runs/{run.pk}/steps/?page=2").content.decode()) == [
        f"step {number}" for number in range(PAGE, PAGE + 3)
    ]
    assert len(client.get(f"/runs/{run.pk}/steps/rows/").json()["steps"]) == PAGE + 3


def test_rows_tell_no_result_and_strangers_nothing(
    stepped: Run, owner: User, stranger: User, signed_in: SignedIn
) -> None:
    found = signed_in(owner).get(f"/runs/{stepped.pk}/steps/rows/").json()
    assert [row[:4] for row in found["steps"]] == [
        ['read "a" & b', "run", "completed", 1], ["call model", "run", "failed", 3],
        ["approve", "signal", "waiting", 1],
    ]  # fmt: skip
    assert "lines" not in str(found)
    for address in ("steps/", "steps/rows/", "step/?name=approve"):
        assert signed_in(stranger).get(f"/runs/{stepped.pk}/{address}").status_code == 404
        assert Client().get(f"/runs/{stepped.pk}/{address}").status_code == 302


def test_a_step_of_a_child_run_shows_what_the_child_was_started_with(
    run: Run, owner: User, stranger: User, signed_in: SignedIn, finish: Callable[..., Run]
) -> None:
    child = jobs.start("page-words", ["alpha"], owner=owner).run
    steps = [{"name": "part", "kind": "child", "output": {"run": str(child.pk), "output": 1}}]
    finish(run, steps=steps)
    client = signed_in(owner)
    assert "alpha" in client.get(f"/runs/{run.pk}/step/?name=part&part=1").content.decode()
    Run.objects.filter(pk=child.pk).update(owner=stranger)
    assert "alpha" not in client.get(f"/runs/{run.pk}/step/?name=part&part=1").content.decode()


def test_a_childs_step_that_was_forked_with_another_output_names_no_child(
    run: Run, owner: User, signed_in: SignedIn
) -> None:
    Step.objects.create(run=run, name="child", kind="start_child", status="completed", output={"run": "none of ours"})
    client = signed_in(owner)
    assert "none of ours" in client.get(f"/runs/{run.pk}/step/?name=child").content.decode()
    assert [client.get(f"/runs/{run.pk}/timeline/{part}").status_code for part in ("", "rows/")] == [200, 200]
