from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import Group, User

from runs import clock, jobs
from runs.models import Run, RunStatus
from tests.api.client import ApiClient, error_of
from tests.api.conftest import Watch


def _start(owner: User, count: int = 1, **options: Any) -> list[str]:
    return [str(jobs.start("echo", {"text": str(n)}, owner=owner, **options).run.id) for n in range(count)]


def _ids(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [shown["id"] for shown in response.json()["results"]]


def test_pages_hold_every_run_once_newest_first(api: ApiClient, alice: User) -> None:
    made = _start(alice, 7)
    seen, path = [], "/api/runs/?limit=3"
    while path:
        body = api.get(path).json()
        seen += [shown["id"] for shown in body["results"]]
        path = body["next"]
    assert seen == made[::-1]


def test_pages_lead_back_and_stay_put_while_runs_appear(api: ApiClient, alice: User) -> None:
    _start(alice, 6)
    first = api.get("/api/runs/?limit=2").json()
    second = api.get(first["next"]).json()
    newer = _start(alice, 3)
    assert api.get(first["next"]).json()["results"] == second["results"]
    back = api.get(second["previous"]).json()
    assert back["results"] == first["results"]
    # Runs that appeared meanwhile are on the pages before.
    assert _ids(api.get(back["previous"])) == newer[1::-1]
    assert api.get(back["next"]).json()["results"] == second["results"]
    assert first["previous"] is None


def test_filters_combine(api: ApiClient, alice: User, bob: User, team: Group) -> None:
    (mine,) = _start(alice, labels={"env": "prod", "contains": "x"})
    (shared,) = _start(bob, team=team, labels={"env": "prod"})
    (other,) = _start(alice, labels={"env": "test"})
    jobs.cancel(other)
    get = lambda query: set(_ids(api.get(f"/api/runs/?{query}")))  # noqa: E731
    assert get("label.env=prod") == {mine, shared}
    assert get("label.env=prod&label.contains=x") == {mine}
    assert get("label.env=prod&owner=bob") == {shared}
    assert get("team=night%20shift") == {shared}
    assert get("status=cancelled") == {other}
    assert get("status=cancelled&status=queued") == {mine, shared, other}
    assert get("job=echo&status=queued&owner=alice") == {mine}
    assert get("job=nothing") == set()


def test_times_filter_to_the_microsecond(api: ApiClient, alice: User) -> None:
    first, second = _start(alice, 2)
    at = clock.now()
    after = at + timedelta(microseconds=1)
    Run.objects.filter(id=first).update(created_at=at)
    Run.objects.filter(id=second).update(created_at=after)
    assert _ids(api.get("/api/runs/", {"created_after": _stamp(at)})) == [second]
    assert _ids(api.get("/api/runs/", {"created_before": _stamp(after)})) == [first]
    assert _ids(api.get("/api/runs/", {"created_after": _stamp(at), "created_before": _stamp(after)})) == []


def _stamp(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize("status", RunStatus.values)
def test_every_status_is_a_filter(api: ApiClient, run: Run, status: str) -> None:
    assert _ids(api.get("/api/runs/", {"status": status})) == ([str(run.id)] if status == "queued" else [])


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("colour=red", "colour"), ("status=odd", "status.0"), ("status=", "status.0"), ("job=a&job=b", "job"),
        ("labels=x", "labels"), ("label.=x", "labels..[key]"), ("label.a%20b=x", "labels.a b.[key]"),
        ("label.a=1&label.a=2", "label.a"), ("created_after=yesterday", "created_after"),
        ("created_after=2030-01-01T00:00:00", "created_after"), ("created_before=5", "created_before"),
        ("created_after=0001-01-01T00:00:00%2B12:00", "created_after"), ("job=%00", "job"), ("label.a=%00", "label.a"),
        ("limit=0", "limit"), ("limit=201", "limit"), ("limit=-1", "limit"), ("limit=x", "limit"),
        ("limit=%D9%A3", "limit"), ("limit=1&limit=2", "limit"), ("limit=", "limit"), ("offset=3", "offset"),
        ("cursor=", "cursor"), ("cursor=x", "cursor"), ("cursor=%FF", "cursor"), ("cursor=bm9wZQ", "cursor"),
        ("cursor=biE", "cursor"), ("cursor=n" + "A" * 5000, "cursor"), ("cursor=a&cursor=b", "cursor"),
    ],
)  # fmt: skip
def test_a_query_that_does_not_fit_is_refused(
    api: ApiClient, run: Run, nothing_changes: Watch, query: str, field: str
) -> None:
    with nothing_changes():
        error = error_of(api.get(f"/api/runs/?{query}"), 400, "invalid_request")
    assert error["details"]["fields"][0]["field"] == field


def test_the_list_shows_runs_as_the_run_itself(api: ApiClient, run: Run) -> None:
    assert api.get("/api/runs/").json()["results"] == [api.get(f"/api/runs/{run.id}/").json()]


def test_the_list_takes_a_fixed_number_of_queries(
    api: ApiClient, alice: User, team: Group, django_assert_max_num_queries: Any
) -> None:
    _start(alice, 20, team=team)
    with django_assert_max_num_queries(3):
        assert len(_ids(api.get("/api/runs/"))) == 20


def test_ids_are_in_the_order_of_their_making(alice: User) -> None:
    made = [UUID(run_id) for run_id in _start(alice, 50)]
    assert made == sorted(made)
