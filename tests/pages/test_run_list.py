"""The list of runs: filters and cursors in the address."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from perdure.dashboard.run_list import pages
from runs import jobs
from runs.models import Run

SignedIn = Callable[..., Client]


def shown(client: Client, address: str) -> list[str]:
    return [str(found.pk) for found in client.get(address).context["page"].runs]


def test_chips_count_and_filter_by_status(
    run: Run, owner: User, team: Group, signed_in: SignedIn, finish: Callable[..., Run]
) -> None:
    done = finish(jobs.start("page-nothing", owner=owner).run)
    client = signed_in(owner)
    chips = {chip.status: chip for chip in client.get("/runs/").context["chips"]}
    assert {name: chip.count for name, chip in chips.items() if chip.count} == {"": 2, "queued": 1, "completed": 1}
    assert shown(client, f"/runs/?{chips['completed'].query}") == [str(done.pk)]
    assert shown(client, f"/runs/?{chips['queued'].query}") == [str(run.pk)]


def test_a_job_filter_stays_while_paging(owner: User, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages.read_page, "__defaults__", (2,))
    made = [str(jobs.start("page-nothing", owner=owner).run.pk) for _ in range(5)]
    jobs.start("page-list", [1], owner=owner)
    client, newest_first = signed_in(owner), made[::-1]
    first = client.get("/runs/?job=page-nothing").context["page"]
    assert [str(found.pk) for found in first.runs] == newest_first[:2]
    assert first.newer is None
    second = client.get(f"/runs/?{first.older}").context["page"]
    assert [str(found.pk) for found in second.runs] == newest_first[2:4]
    third = client.get(f"/runs/?{second.older}").context["page"]
    assert ([str(found.pk) for found in third.runs], third.older) == (newest_first[4:], None)
    assert shown(client, f"/runs/?{second.newer}") == newest_first[:2]


@pytest.mark.parametrize("query", ["status=sleeping", "before=12", "after=x", "job=%00", "status=%00"])
def test_a_bad_filter_is_named_and_answered_with_400(query: str, owner: User, signed_in: SignedIn) -> None:
    answer = signed_in(owner).get(f"/runs/?{query}")
    assert answer.status_code == 400
    assert any(remedy in answer.content.decode() for remedy in ("Use one of", "page on from there", "Leave it out"))


def test_an_empty_list_says_what_to_do(owner: User, signed_in: SignedIn) -> None:
    client = signed_in(owner)
    assert "Choose a job" in client.get("/runs/").content.decode()
    assert "Show all runs" in client.get("/runs/?status=failed").content.decode()
