"""Home: what needs the reader, what is wrong, what is going on."""

from collections.abc import Callable
from datetime import timedelta

from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from perdure.dashboard.home.pace import slowest
from runs import clock, jobs
from runs.models import Allowance, Event, Run, Spending

SignedIn = Callable[..., Client]


def test_failures_are_put_together_by_their_cause(
    owner: User, team: Group, member: User, stranger: User, signed_in: SignedIn, finish: Callable[..., Run]
) -> None:
    for number in range(3):
        run = jobs.start("page-nothing", owner=owner, team=team).run
        finish(run, "failed", error={"type": "KeyError", "message": f"row {number} is missing"})
    group = signed_in(member).get("/").context["home"].failing.groups[0]
    assert (group.count, group.text, group.last) == (3, "KeyError: row 2 is missing", run.id)
    assert not signed_in(stranger).get("/").context["home"].failing.groups


def test_the_group_leads_to_its_runs(owner: User, signed_in: SignedIn, finish: Callable[..., Run]) -> None:
    run = finish(jobs.start("page-nothing", owner=owner).run, "failed", error={"type": "E", "message": "<b>no</b>"})
    page = signed_in(owner).get("/")
    group = page.context["home"].failing.groups[0]
    assert f"/runs/?status=failed&amp;fingerprint={group.fingerprint}" in page.content.decode()
    assert f"/runs/{run.pk}/" in page.content.decode()
    assert "<b>no</b>" not in page.content.decode()


def late(client: Client) -> dict[str, str]:
    return {str(one.run.pk): one.why for one in client.get("/").context["home"].late}


def test_what_is_stuck_or_late_says_why(
    owner: User, team: Group, member: User, stranger: User, administrator: User, signed_in: SignedIn
) -> None:
    def start(**fields: object) -> str:
        run = jobs.start("page-nothing", owner=owner, team=team).run
        Run.objects.filter(pk=run.pk).update(**fields)
        return str(run.pk)

    now = clock.now()
    why = {
        start(reason="no_worker_for_version"): "no worker has version 1 of page-nothing",
        start(reason="no_worker_for_queue"): "no worker serves queue default",
        start(status="paused", reason="crash_loop"): "paused: its worker died several times without a recorded step",
        start(due_at=now - timedelta(minutes=6)): "no worker has taken it yet",
    }
    start()
    start(status="paused", reason="held by a person")
    start(status="running", claimed_at=now)
    assert late(signed_in(member)) == why
    assert late(signed_in(administrator)) == why
    assert late(signed_in(stranger)) == {}


def test_a_run_that_says_nothing_for_long_is_silent(owner: User, signed_in: SignedIn) -> None:
    run, busy = (jobs.start("page-nothing", owner=owner).run for _ in range(2))
    long_ago = clock.now() - timedelta(minutes=45)
    Run.objects.filter(pk__in=[run.pk, busy.pk]).update(status="running", claimed_at=long_ago)
    Event.objects.filter(run=run).update(created_at=long_ago)
    assert late(signed_in(owner)) == {str(run.pk): "running, and nothing recorded for 45 min 00 s"}


def test_a_run_that_waits_for_more_budget_says_so(owner: User, signed_in: SignedIn) -> None:
    run = jobs.start("page-nothing", owner=owner).run
    allowance = Allowance.objects.create(run=run)
    Spending.objects.create(run_id=run.pk, allowance=allowance, parked="tokens", parked_by=run.pk)
    Run.objects.filter(pk=run.pk).update(status="waiting", reason="budget tokens", budget_of=run.pk)
    assert late(signed_in(owner)) == {str(run.pk): "waits for more tokens: its budget is spent"}


def test_it_leads_back_to_ones_own_run_and_tells_those_of_others_apart(
    run: Run, owner: User, member: User, signed_in: SignedIn, finish: Callable[..., Run]
) -> None:
    finish(jobs.start("page-nothing", owner=owner).run)
    home = signed_in(owner).get("/").context["home"]
    assert ([found.pk for found in home.mine], home.others, len(home.finished), home.going) == ([run.pk], [], 1, 1)
    page = signed_in(member).get("/")
    home = page.context["home"]
    assert (home.mine, [found.pk for found in home.others]) == ([], [run.pk])
    assert "Go back to your run" not in page.content.decode()


def test_the_pace_is_that_of_the_runs_one_may_see(
    run: Run, owner: User, member: User, stranger: User, administrator: User, signed_in: SignedIn,
    finish: Callable[..., Run],
) -> None:  # fmt: skip
    finish(run)
    Run.objects.filter(pk=run.pk).update(started_at=run.created_at + timedelta(seconds=4))
    finish(jobs.start("page-nothing", owner=owner).run)
    for user, runs in ((owner, 2), (member, 1), (administrator, 2), (stranger, 0)):
        pace = signed_in(user).get("/").context["home"].pace
        assert (pace.runs, pace.span) == (runs, "24 hours")
        assert sum(point.value or 0 for point in pace.ended) == runs
    assert signed_in(member).get("/").context["home"].pace.wait == "4.0 s"


@given(st.lists(st.none() | st.floats(min_value=0, max_value=1e6), max_size=50))
def test_nineteen_of_twenty_wait_no_longer(waits: list[float | None]) -> None:
    known = [wait for wait in waits if wait is not None]
    found = slowest(waits)
    assert (found is None) == (not known)
    assert found is None or sum(wait <= found for wait in known) >= 0.95 * len(known)


def test_an_empty_home_says_what_to_do_first(owner: User, signed_in: SignedIn) -> None:
    page = signed_in(owner).get("/")
    text, offers = page.content.decode(), page.context["home"].offers
    assert "Welcome. Start your first run." in text
    assert "No worker is alive." in text
    assert all(f'href="{one.href}"' in text for one in offers.first)
    asked = [len(jobs.get_job(one.name).input_schema().get("required", ())) for one in offers.first]
    assert asked == [0] * len(asked)


def test_later_it_offers_what_one_started_last(run: Run, owner: User, signed_in: SignedIn) -> None:
    offers = signed_in(owner).get("/").context["home"].offers
    assert ([one.name for one in offers.first], offers.are_recent) == (["page-nothing"], True)


def test_home_asks_no_more_of_the_database_when_there_are_more_runs(
    owner: User, team: Group, signed_in: SignedIn, finish: Callable[..., Run]
) -> None:
    client = signed_in(owner)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get("/").status_code == 200
        return len(captured)

    for _ in range(2):
        finish(jobs.start("page-nothing", owner=owner, team=team).run, "failed", error={"type": "E", "message": "no"})
        jobs.start("page-nothing", owner=owner, team=team)
    before = queries()
    for _ in range(6):
        finish(jobs.start("page-nothing", owner=owner, team=team).run, "failed", error={"type": "E", "message": "no"})
        jobs.start("page-nothing", owner=owner, team=team)
    assert queries() == before
