"""A run is forked from its page: from a step, with the old input or another; its secrets stay where they are."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from pydantic import BaseModel, SecretStr

from runs import jobs
from runs.jobs import StepContext, job
from runs.models import Run
from runs.testing import drain, temporary_jobs

pytestmark = pytest.mark.django_db(transaction=True)
SignedIn = Callable[..., Client]
CALLS: list[str] = []


class Trip(BaseModel):
    to: str
    days: int = 2
    password: SecretStr


async def look(name: str) -> str:
    CALLS.append(name)
    return name


@pytest.fixture
def run(owner: User, team: Group) -> Iterator[Run]:
    CALLS.clear()
    with temporary_jobs():

        @job("page-trip")
        async def page_trip(step: StepContext, trip: Trip) -> list[str]:
            first = await step.run("map", look, "map")
            return [first, await step.run("book", look, f"{trip.to} for {trip.days}")]

        made = jobs.start(page_trip, {"to": "Bern", "password": "hunter2"}, owner=owner, team=team).run
        drain()
        yield jobs.get(made.pk)


def fork(client: Client, run: Run, step: str, **fields: Any) -> Any:
    return client.post(f"/runs/{run.pk}/fork/?step={step}", fields)


def test_the_page_says_what_is_kept_and_shows_no_secret(run: Run, member: User, signed_in: SignedIn) -> None:
    page = signed_in(member).get(f"/runs/{run.pk}/fork/?step=book").content.decode()
    assert "1 recorded step before it is kept" in page
    assert 'value="Bern"' in page
    assert "hunter2" not in page
    assert "This run has no such step." in signed_in(member).get(f"/runs/{run.pk}/fork/?step=x").content.decode()
    assert signed_in(member).get(f"/runs/{run.pk}/fork/?step=%00").status_code == 400


def test_a_fork_with_the_old_input_does_again_what_follows(run: Run, member: User, signed_in: SignedIn) -> None:
    answer = fork(signed_in(member), run, "book", **{"fork-input": "same"})
    made = Run.objects.get(forked_from=run)
    assert answer["Location"] == f"/runs/{made.pk}/"
    drain()
    made.refresh_from_db()
    assert (made.output, made.owner, made.forked_step) == (["map", "Bern for 2"], member, "book")
    assert CALLS == ["map", "Bern for 2", "Bern for 2"]


OSLO = {"fork-input": "other", "to": "Oslo", "days": "5"}


def test_a_colleague_who_gives_another_input_gives_the_secret_too(run: Run, member: User, signed_in: SignedIn) -> None:
    client = signed_in(member)
    refused = fork(client, run, "book", **OSLO, password="")
    assert (refused.status_code, Run.objects.count()) == (400, 1)
    assert "has to be given again" in refused.content.decode()
    fork(client, run, "book", **OSLO, password="mine")
    assert Run.objects.get(forked_from=run).input == {"to": "Oslo", "days": 5, "password": "mine"}


def test_a_fork_with_another_input_keeps_the_secret_that_its_owner_did_not_touch(
    run: Run, owner: User, signed_in: SignedIn
) -> None:
    fork(signed_in(owner), run, "book", **OSLO, password="")
    made = Run.objects.get(forked_from=run)
    assert made.input == {"to": "Oslo", "days": 5, "password": "hunter2"}
    drain()
    assert jobs.get(made.pk).output == ["map", "Oslo for 5"]
    assert CALLS == ["map", "Bern for 2", "Oslo for 5"]


def test_what_does_not_fit_is_told_and_forks_nothing(run: Run, member: User, signed_in: SignedIn) -> None:
    client = signed_in(member)
    wrong = fork(client, run, "book", **{"fork-input": "other", "to": "", "days": "many"})
    assert wrong.status_code == 400
    assert "errorlist" in wrong.content.decode()
    assert fork(client, run, "none", **{"fork-input": "same"}).status_code == 400
    assert fork(client, run, "book", **{"fork-input": "what"}).status_code == 400
    assert Run.objects.count() == 1


def test_a_run_of_code_that_is_gone_says_so(run: Run, member: User, signed_in: SignedIn) -> None:
    Run.objects.filter(pk=run.pk).update(job_version="9")
    assert "is registered here" in signed_in(member).get(f"/runs/{run.pk}/fork/").content.decode()


def test_strangers_neither_see_nor_fork_it(run: Run, stranger: User, signed_in: SignedIn) -> None:
    client = signed_in(stranger)
    assert client.get(f"/runs/{run.pk}/fork/").status_code == 404
    assert fork(client, run, "book", **{"fork-input": "same"}).status_code == 404
    assert Client().get(f"/runs/{run.pk}/fork/").status_code == 302
    assert Run.objects.count() == 1
