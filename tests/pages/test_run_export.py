"""The list as a file: what fits, whole, and nothing that a table program would compute."""

import csv
import io
import json
from collections.abc import Callable

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.test import Client

from perdure.dashboard.run_list import export
from runs import jobs
from runs.models import Run

SignedIn = Callable[..., Client]


def text_of(client: Client, query: str) -> str:
    answer = client.get(f"/runs/export/?{query}")
    assert answer.status_code == 200
    assert answer["Content-Disposition"].startswith("attachment")

    async def read() -> str:
        return "".join([part.decode() async for part in answer.streaming_content])  # type: ignore[attr-defined]

    return async_to_sync(read)()


def rows_of(client: Client, query: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text_of(client, f"format=csv&{query}"))))


def test_it_holds_every_run_that_fits_over_all_pages(
    owner: User, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "AT_ONCE", 3)
    made = [str(jobs.start("page-nothing", owner=owner, labels={"a": "b"}).run.pk) for _ in range(8)]
    jobs.start("page-words", ["x"], owner=owner)
    client, newest_first = signed_in(owner), made[::-1]
    assert [row["id"] for row in rows_of(client, "job=page-nothing")] == newest_first
    as_json = json.loads(text_of(client, "format=json&job=page-nothing&sort=oldest"))
    assert [row["id"] for row in as_json] == made
    assert as_json[0]["labels"] == {"a": "b"}
    assert as_json[0]["owner"] == "olga"


def test_nothing_that_fits_is_still_a_file(owner: User, signed_in: SignedIn) -> None:
    client = signed_in(owner)
    assert json.loads(text_of(client, "format=json")) == []
    assert text_of(client, "format=csv").startswith("id,job,")


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_no_cell_begins_a_formula(begin: str, owner: User, signed_in: SignedIn, finish: Callable[..., Run]) -> None:
    formula = f'{begin}HYPERLINK("http://evil.example","x")'
    run = finish(jobs.start("page-nothing", owner=owner, priority=-5).run, "failed")
    Run.objects.filter(pk=run.pk).update(reason=formula, error={"type": formula, "message": formula})
    (row,) = rows_of(signed_in(owner), "")
    assert {row["reason"], row["error_type"], row["error_message"]} == {f"'{formula}"}
    assert row["priority"] == "-5"


def test_it_is_for_who_may_see_the_runs(run: Run, owner: User, stranger: User, signed_in: SignedIn) -> None:
    assert Client().get("/runs/export/").status_code == 302
    assert rows_of(signed_in(stranger), "") == []
    assert [row["id"] for row in rows_of(signed_in(owner), "")] == [str(run.pk)]
    assert signed_in(owner).post("/runs/export/").status_code == 405
    assert signed_in(owner).get("/runs/export/?format=xls").status_code == 400
    assert signed_in(owner).get("/runs/export/?status=sleeping").status_code == 400


def test_inputs_and_outputs_stay_where_they_are(owner: User, signed_in: SignedIn, finish: Callable[..., Run]) -> None:
    finish(jobs.start("page-words", ["hunter2"], owner=owner).run, output={"key": "hunter3"})
    assert "hunter" not in text_of(signed_in(owner), "format=json")
