"""The filters of the list of runs: what they find, what they leave out, and that they never look without end."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from perdure.dashboard.fingerprints import fingerprint
from perdure.dashboard.run_list import chips, drivers, pages, search
from runs import jobs
from runs.models import Run

SignedIn = Callable[..., Client]
WORDS = ["alpha Größe", 'say "beta"']
SECRET = {"title": "delta", "count": 1, "address": {"street": "s", "number": 1}, "password": "hunter2"}


@pytest.fixture
def many(owner: User, team: Group, finish: Callable[..., Run]) -> dict[str, Run]:
    """One run for each kind of filter."""

    def start(job: str = "page-nothing", given: Any = None, **fields: Any) -> Run:
        return jobs.start(job, given, **({"owner": owner} | fields)).run

    failed = finish(start(), "failed", error={"type": "ValueError", "message": "No row 12 in 'orders'"})
    other = finish(start(), "failed", error={"type": "KeyError", "message": "gamma"})
    return {
        "worded": start("page-words", WORDS),
        "secret": start("page-order", SECRET),
        "labelled": start(labels={"batch": "a=b", "kind": "x"}),
        "of team": start(team=team),
        "failed": failed,
        "failed otherwise": other,
    }


def found(client: Client, query: str) -> list[Run]:
    answer = client.get(f"/runs/?{query}")
    assert answer.status_code == 200, answer.content.decode()
    return list(answer.context["page"].runs)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("q=ALPHA", ["worded"]),
        ("q=gr%C3%B6%C3%9Fe", ["worded"]),
        ("q=say+%22beta%22", ["worded"]),
        ("q=gamma", ["failed otherwise"]),
        ("q=a%3Db", ["labelled"]),
        ("q=%25", []),
        ("q=hunter2", []),
        ("q=delta", []),
        ("label=batch%3Da%3Db", ["labelled"]),
        ("label=kind", ["labelled"]),
        ("label=kind&label=batch%3Dnone", []),
        ("team=builders", ["of team"]),
        ("team=others", []),
        ("job=page-words&status=queued", ["worded"]),
        ("status=failed&status=waiting", ["failed otherwise", "failed"]),
        ("owner=sven", []),
        ("owner=olga&label=kind", ["labelled"]),
        ("since=1h&job=page-words", ["worded"]),
        ("until=1h", []),
        ("since=2020-01-31+14:00&until=2020-02-01", []),
    ],
)
def test_a_filter_finds_what_fits_it(
    query: str, names: list[str], many: dict[str, Run], owner: User, administrator: User, signed_in: SignedIn
) -> None:
    wanted = [many[name] for name in names]
    assert found(signed_in(owner), query) == wanted
    assert found(signed_in(administrator), query) == wanted


def test_an_id_is_found_as_it_is_shown(many: dict[str, Run], owner: User, stranger: User, signed_in: SignedIn) -> None:
    query = f"q={many['worded'].pk}"
    assert found(signed_in(owner), query) == [many["worded"]]
    assert found(signed_in(stranger), query) == []


def test_failures_of_one_cause_are_found_by_their_fingerprint(
    many: dict[str, Run], owner: User, signed_in: SignedIn
) -> None:
    cause = fingerprint({"type": "ValueError", "message": "No row 99 in 'customers'"})
    answer = signed_in(owner).get(f"/runs/?fingerprint={cause}")
    assert list(answer.context["page"].runs) == [many["failed"]]
    assert {chip.status: chip.count for chip in answer.context["chips"]}["failed"] == 1
    assert "No row" in answer.content.decode()


def test_oldest_first_pages_towards_the_newest(
    owner: User, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages.read_page, "__defaults__", (2,))
    made = [jobs.start("page-nothing", owner=owner).run for _ in range(3)]
    client = signed_in(owner)
    first = client.get("/runs/?sort=oldest").context["page"]
    assert (first.runs, first.older) == (made[:2], None)
    second = client.get(f"/runs/?{first.newer}").context["page"]
    assert (second.runs, second.newer) == (made[2:], None)
    assert found(client, second.older) == made[:2]


def test_a_search_that_stops_says_so_and_goes_on_from_there(
    owner: User, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = jobs.start("page-words", ["needle"], owner=owner).run
    for _ in range(4):
        jobs.start("page-nothing", owner=owner)
    for module in (search, chips, drivers):
        monkeypatch.setattr(module, "MANY", 2)
    monkeypatch.setattr(search, "FIRST_SLICE", 2)
    monkeypatch.setattr(chips, "FIRST", 8)
    client = signed_in(owner)
    first = client.get("/runs/?q=needle")
    assert first.context["page"].runs == []
    assert "Search further" in first.content.decode()
    assert all(chip.least for chip in first.context["chips"])
    query, looks = first.context["page"].stop.further, 1
    while not (page := client.get(f"/runs/?{query}").context["page"]).runs:
        query, looks = page.stop.further, looks + 1
    assert (page.runs, looks) == ([wanted], 2)


def test_columns_are_chosen_in_the_address(many: dict[str, Run], owner: User, signed_in: SignedIn) -> None:
    answer = signed_in(owner).get("/runs/?column=labels&column=queue&column=nonsense&label=kind")
    assert answer.context["titles"] == [("queue", "Queue"), ("labels", "Labels")]
    assert "batch=a=b" in answer.content.decode()
    assert "column=queue&column=labels" in answer.context["chips"][0].query


@pytest.mark.parametrize(
    "query",
    [
        "sort=fastest", "since=yesterday", "until=9999999d", "q=" + "x" * 201, "label=" + "y" * 201, "label=%00",
        "&".join([f"label=a{number}" for number in range(11)]), "owner=%00", "since=99999999999999",
    ],
)  # fmt: skip
def test_a_filter_that_cannot_be_is_named(query: str, owner: User, signed_in: SignedIn) -> None:
    assert signed_in(owner).get(f"/runs/?{query}").status_code == 400


def test_a_page_takes_as_many_queries_whatever_it_shows(owner: User, signed_in: SignedIn, administrator: User) -> None:
    client = signed_in(owner)
    jobs.start("page-nothing", owner=owner)
    with CaptureQueriesContext(
        connection,
    ) as few:
        client.get("/runs/")
    for _ in range(30):
        jobs.start("page-nothing", owner=owner)
    with CaptureQueriesContext(connection) as many:
        client.get("/runs/")
    assert len(many) == len(few) < 30


def test_rows_are_read_again_where_they_stand(
    run: Run, owner: User, stranger: User, signed_in: SignedIn, finish: Callable[..., Run]
) -> None:
    new = jobs.start("page-nothing", owner=owner).run
    address = f"/runs/rows/?status=queued&shown={run.pk}&first={run.pk}"
    answer = signed_in(owner).get(address)
    assert (answer.context["runs"], answer.context["news"]) == ([run], 1)
    finish(run)
    answer = signed_in(owner).get(address)
    assert "Does not fit the filter any more" in answer.content.decode()
    assert signed_in(owner).get(f"/runs/rows/?shown={new.pk}").context["fits"] == {new.pk}
    assert signed_in(stranger).get(address).context["runs"] == []
    assert Client().get(address).status_code == 302
    assert signed_in(owner).get("/runs/rows/?shown=x").status_code == 400
    assert signed_in(owner).get("/runs/rows/?" + "&".join([f"shown={run.pk}"] * 101)).status_code == 400


def test_the_server_says_how_long_it_took(owner: User, signed_in: SignedIn) -> None:
    answer = signed_in(owner).get("/runs/")
    assert answer["Server-Timing"].startswith("app;dur=")
    assert "Server-Timing" not in Client().post("/sign-in/", {"username": "olga", "password": "x"})


def test_the_first_and_the_last_day_that_there_are_leave_out_nothing(
    run: Run, owner: User, signed_in: SignedIn
) -> None:
    client = signed_in(owner)
    for query in ("since=0001-01-01", "until=9999-12-31", "since=0001-01-01&until=9999-12-31"):
        assert str(run.pk) in client.get(f"/runs/?{query}").content.decode(), query
    assert str(run.pk) not in client.get("/runs/?since=9999-12-31").content.decode()
