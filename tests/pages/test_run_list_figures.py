"""What runs used and how long they took, in the list: columns, the file, and orders that are exact or refused."""

import csv
import io
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from perdure.dashboard.run_list import pages, rankings
from runs import clock, jobs
from runs.maintenance.usage import count_all
from runs.models import Attempt, Run, RunUsage

pytestmark = pytest.mark.django_db
SignedIn = Callable[..., Client]
ORDERS = ["longest", "tokens", "cost"]


def use(run: Run, tokens: int = 100, cost: float | str = 0.5, outcome: str = "completed") -> None:
    now = clock.now()
    Attempt.objects.create(
        run=run, step_name="ask", number=run.attempts.count() + 1, epoch=1, outcome=outcome, started_at=now,
        ended_at=now, usage={"model": "small", "input_tokens": tokens, "output_tokens": 20, "cost": cost},
    )  # fmt: skip


@pytest.fixture
def ranked(owner: User, team: Group, finish: Callable[..., Run]) -> list[Run]:
    """Five ended runs, made in this order; the second took longest and used most, and so on."""
    places, made = [3, 0, 4, 1, 2], []
    for place in places:
        run = finish(jobs.start("page-nothing", owner=owner, team=team).run)
        ended_at = run.started_at + timedelta(seconds=60 - place)
        Run.objects.filter(pk=run.pk).update(finished_at=ended_at)
        use(run, tokens=1000 - place, cost=5.5 - place)
        made.append(run)
    count_all()
    return [made[places.index(place)] for place in range(5)]


@pytest.fixture
def pages_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rankings, "LONGEST_SECONDS", 60)
    monkeypatch.setattr(pages.read_page, "__defaults__", (2,))


def ids(runs: list[Run]) -> list[str]:
    return [str(run.pk) for run in runs]


def read(client: Client, query: str) -> Any:
    answer = client.get(f"/runs/?{query}")
    assert answer.status_code == 200
    return answer.context["page"]


def page_text(client: Client, query: str = "column=tokens&column=cost") -> str:
    return client.get(f"/runs/?{query}").content.decode()


def test_tokens_and_cost_are_columns_to_choose(run: Run, owner: User, member: User, signed_in: SignedIn) -> None:
    use(run, tokens=1234)
    use(run, tokens=1000, cost="0.25", outcome="failed")
    for _ in range(2):  # before and after it is added up
        text = page_text(signed_in(member))
        assert 'title="2,234 in, 40 out">2.27 k<' in text
        assert 'data-label="Cost">0.75<' in text
        count_all()
    assert 'data-label="Cost"' not in page_text(signed_in(owner), "")


def test_rows_that_change_where_they_stand_tell_it_too(run: Run, member: User, signed_in: SignedIn) -> None:
    use(run)
    rows = signed_in(member).get(f"/runs/rows/?column=cost&shown={run.pk}").content.decode()
    assert 'data-label="Cost">0.50<' in rows or 'data-label="Cost">0.5<' in rows


def test_columns_cost_the_same_few_queries_however_many_attempts_there_are(
    run: Run, owner: User, signed_in: SignedIn
) -> None:
    client = signed_in(owner)
    asked = []
    for _ in range(2):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            page_text(client)
        asked.append(len(queries))
        for _ in range(5):
            use(run)
        use(jobs.start("page-nothing", owner=owner).run)
        count_all()
    assert asked[0] == asked[1]


def test_what_is_added_up_of_a_run_goes_with_it(run: Run, finish: Callable[..., Run]) -> None:
    use(run)
    count_all()
    use(run)
    assert RunUsage.objects.get().input_tokens == 100
    finish(run)
    jobs.delete(run.pk)
    assert not RunUsage.objects.exists()


def test_the_file_tells_tokens_and_cost(ranked: list[Run], member: User, signed_in: SignedIn) -> None:
    def text_of(query: str) -> str:
        answer = signed_in(member).get(f"/runs/export/?{query}")

        async def read() -> str:
            return "".join([part.decode() async for part in answer.streaming_content])  # type: ignore[attr-defined]

        return async_to_sync(read)()

    rows = {row["id"]: row for row in csv.DictReader(io.StringIO(text_of("format=csv")))}
    first = rows[str(ranked[0].pk)]
    assert (first["input_tokens"], first["output_tokens"], first["cost"]) == ("1000", "20", "5.5")
    every = json.loads(text_of("format=json&sort=cost"))
    assert {row["id"]: row["cost"] for row in every} == {str(run.pk): 5.5 - place for place, run in enumerate(ranked)}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("road", ["few", "index"])
def test_the_order_is_exact_over_all_pages_and_back(
    order: str, road: str, ranked: list[Run], administrator: User, signed_in: SignedIn, pages_of_two: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    if road == "index":
        monkeypatch.setattr(rankings, "FEW", 0)
        monkeypatch.setattr(rankings, "FIRST_SLICE", 1)
    client, right = signed_in(administrator), ids(ranked)
    first = read(client, f"sort={order}")
    second = read(client, first.older)
    third = read(client, second.older)
    assert [ids(page.runs) for page in (first, second, third)] == [right[:2], right[2:4], right[4:]]
    assert (first.newer, third.older) == (None, None)
    assert ids(read(client, third.newer).runs) == right[2:4]


@pytest.mark.parametrize("order", ORDERS)
def test_runs_that_are_alike_in_it_are_all_shown_once(
    order: str, owner: User, administrator: User, signed_in: SignedIn, finish: Callable[..., Run], pages_of_two: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(rankings, "FEW", 0)
    now, made = clock.now(), []
    for _ in range(5):
        made.append(finish(jobs.start("page-nothing", owner=owner).run))
        use(made[-1])
    Run.objects.update(started_at=now - timedelta(seconds=9), finished_at=now)
    count_all()
    client, query, seen = signed_in(administrator), f"sort={order}", []
    while query:
        page = read(client, query)
        seen += ids(page.runs)
        query = page.older
    assert seen == ids(made)[::-1]


def test_a_walk_that_finds_nothing_says_where_it_stopped_and_goes_on(
    ranked: list[Run], administrator: User, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"LONGEST_SECONDS": 60, "FEW": 0, "FIRST_SLICE": 1, "AT_ONCE": 1, "MANY": 2}.items():
        monkeypatch.setattr(rankings, name, value)
    Run.objects.filter(pk=ranked[3].pk).update(labels={"kind": "rare"})
    client = signed_in(administrator)
    answer = client.get("/runs/?sort=cost&label=kind")
    assert "Looked at those with the highest figures first." in answer.content.decode()
    page = answer.context["page"]
    assert page.runs == []
    assert ids(read(client, page.stop.further).runs) == [str(ranked[3].pk)]


def test_too_many_for_an_order_are_refused_with_what_to_ask_instead(
    ranked: list[Run], member: User, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = signed_in(member)
    assert ids(read(client, "sort=cost").runs) == ids(ranked)
    monkeypatch.setattr(rankings, "FEW", 3)
    answer = client.get("/runs/?sort=cost")
    assert (answer.status_code, answer.context["page"].runs) == (200, [])
    assert "Too many runs fit" in answer.content.decode()
    assert "sort=cost" in dict(answer.context["spans"])["The last hour"]
    Run.objects.filter(pk=ranked[0].pk).update(labels={"kind": "rare"})
    assert ids(read(client, "sort=cost&label=kind").runs) == ids(ranked[:1])


@pytest.mark.parametrize("order", ORDERS)
def test_nobody_is_told_of_runs_of_other_teams(
    order: str, ranked: list[Run], stranger: User, signed_in: SignedIn, finish: Callable[..., Run]
) -> None:
    own = finish(jobs.start("page-nothing", owner=stranger).run)
    use(own, tokens=990, cost=2.0)
    count_all()
    client = signed_in(stranger)
    assert ids(read(client, f"sort={order}").runs) == [str(own.pk)]
    # A run that one may not see, or that is gone, is no place in the list.
    for cursor in (ranked[0].pk, ranked[4].pk, uuid4()):
        assert ids(read(client, f"sort={order}&before={cursor}").runs) == [str(own.pk)]
    assert Client().get(f"/runs/?sort={order}").status_code == 302


def test_what_has_no_figure_is_left_out_and_the_page_says_so(
    ranked: list[Run], run: Run, owner: User, signed_in: SignedIn
) -> None:
    answer = signed_in(owner).get("/runs/?sort=longest")
    assert str(run.pk) not in ids(answer.context["page"].runs)
    text = answer.content.decode()
    assert "Runs that have not ended are not in this list." in text
    assert 'aria-sort="descending">Took<' in text
    assert 'name="all"' not in text, "all that match are more than those that are shown"
    assert 'aria-sort="descending">Cost<' in page_text(signed_in(owner), "sort=cost")
