"""The admin checks the invariants when it is asked to, names runs, gives up in time, and is for some of the staff."""

from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from runs.maintenance import invariants
from runs.maintenance.invariants import INVARIANTS, Ids, Invariant, finding
from runs.models import Run

SignedIn = Callable[..., Client]
PAGE = "/admin/runs/run/invariants/"


def staff(*permissions: str) -> User:
    user = User.objects.create_user("clara", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return user


@pytest.fixture
def client(db: None, signed_in: SignedIn) -> Client:
    return signed_in(staff("view_run", "check_invariants"))


def states(page: str) -> dict[str, str]:
    found = {}
    for name in INVARIANTS:
        found[name] = page.split(f'data-invariant="{name}" data-state="')[1].split('"')[0]
    return found


def test_it_says_what_holds_and_checks_only_when_asked(client: Client) -> None:
    with CaptureQueriesContext(connection) as queries:
        page = client.get(PAGE).content.decode()
    assert "data-state" not in page
    assert not any("runs_event" in one["sql"] for one in queries)
    assert all(one.name in page for one in INVARIANTS.values())
    checked = client.post(PAGE).content.decode()
    assert set(states(checked).values()) == {"holds"}
    assert f"All {len(INVARIANTS)} invariants hold." in checked


def test_a_violation_is_shown_with_its_runs(client: Client, run: Run) -> None:
    Run.objects.filter(id=run.id).update(due_at=None)
    before = list(Run.objects.values())
    page = client.post(PAGE).content.decode()
    assert [name for name, state in states(page).items() if state == "violated"] == ["idle_without_wake"]
    assert f'href="/admin/runs/run/{run.id}/change/"' in page
    assert "A worker mends this on its next rounds" in page
    assert page.index('data-invariant="idle_without_wake"') < page.index('data-state="holds"')
    assert f"1 of {len(INVARIANTS)} invariants does not hold." in page
    assert list(Run.objects.values()) == before


def test_of_many_runs_some_are_shown(client: Client, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "SHOWN", 0)
    Run.objects.filter(id=run.id).update(due_at=None, status="running")
    (found,) = [one for one in invariants.look().found if one.invariant.name == "running_without_lease"]
    assert (found.violations, found.more) == ((), True)


def one_long_statement(ids: Ids) -> Iterator[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 1000000000)"
            " SELECT count(*) FROM n"
        )
        yield from cursor.fetchall()


def short_statements_without_end(ids: Ids) -> Iterator[tuple[object, ...]]:
    while not Run.objects.filter(job="that nobody has").exists():
        yield from ()


@pytest.fixture(params=[one_long_statement, short_statements_without_end])
def _slow(db: None, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Invariant("slow", "It is found in time.", request.param)
    monkeypatch.setattr(finding, "INVARIANTS", {"slow": slow, "quick": INVARIANTS["running_without_lease"]})


@pytest.mark.usefixtures("_slow")
def test_what_takes_too_long_is_given_up_and_said() -> None:
    looked = finding.look(1.2)
    assert [one.state for one in looked.found] == ["unknown", "holds"], "one that is slow keeps no other from its turn"
    assert (looked.unknown, looked.violated) == (1, 0)
    assert looked.seconds < 60


@pytest.mark.usefixtures("_slow")
def test_no_time_at_all_is_no_verdict() -> None:
    assert [one.state for one in finding.look(0).found] == ["unknown", "unknown"]


def test_it_is_closed_to_others(db: None, signed_in: SignedIn, owner: User, stranger: User) -> None:
    assert Client().get(PAGE).status_code == 302
    assert Client().post(PAGE).status_code == 302
    for user in (owner, stranger):
        assert signed_in(user).post(PAGE).status_code == 302, "they are no staff"
    user = staff("check_invariants", "change_run")
    assert signed_in(user).post(PAGE).status_code == 403
    user.user_permissions.set(Permission.objects.filter(codename="view_run"))
    client = signed_in(User.objects.get(pk=user.pk))
    assert client.post(PAGE).status_code == 403
    assert PAGE not in client.get("/admin/runs/run/").content.decode()


def test_those_who_may_find_it_above_the_runs(client: Client, signed_in: SignedIn) -> None:
    assert f'href="{PAGE}"' in client.get("/admin/runs/run/").content.decode()


def test_a_forged_form_checks_nothing(db: None, signed_in: SignedIn) -> None:
    client = signed_in(staff("view_run", "check_invariants"), enforce_csrf_checks=True)
    assert client.post(PAGE).status_code == 403
