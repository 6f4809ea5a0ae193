"""Two runs side by side: aligned by step, the first difference marked, and walls round both."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from perdure.dashboard.compare.align import align
from perdure.dashboard.compare.choosing import read_id
from perdure.dashboard.compare.comparison import ROWS_SHOWN, compare
from perdure.dashboard.compare.facts import gist_of
from runs import clock, jobs
from runs.models import Attempt, Run

SignedIn = Callable[..., Client]
Finish = Callable[..., Run]
NAMES = st.lists(st.sampled_from("abcdefghij"), unique=True)


@pytest.fixture
def other(owner: User, team: Group) -> Run:
    return jobs.start("page-nothing", owner=owner, team=team).run


def step(name: str, output: Any = None, **more: Any) -> dict[str, Any]:
    return {"name": name, "output": output} | more


def page_of(client: Client, left: Run, right: Run, query: str = "") -> str:
    answer = client.get(f"/runs/{left.pk}/compare/{right.pk}/{query}")
    assert answer.status_code == 200, answer.content
    return answer.content.decode()


@given(left=NAMES, right=NAMES)
def test_each_step_stands_in_one_row_and_those_of_a_name_in_the_same(left: list[str], right: list[str]) -> None:
    rows = align(left, right, str)
    assert [row.left for row in rows if row.left is not None] == left
    assert sorted(row.right for row in rows if row.right is not None) == sorted(right)
    assert len(rows) == len({row.name for row in rows}) == len({*left, *right})
    assert all(one in (None, row.name) for row in rows for one in (row.left, row.right))


@given(left=NAMES, right=NAMES)
def test_what_one_side_alone_has_stays_behind_what_it_followed(left: list[str], right: list[str]) -> None:
    place = {row.name: number for number, row in enumerate(align(left, right, str))}
    shared: str | None = None
    for name in right:
        if name in left:
            shared = name
        elif shared is not None:
            assert place[name] > place[shared]


def test_what_took_the_place_of_a_step_stands_next_to_it() -> None:
    rows = align(["plan", "write", "end"], ["plan", "draw", "end", "more"], str)
    assert [(row.left, row.right) for row in rows] == [
        ("plan", "plan"), ("write", None), (None, "draw"), ("end", "end"), (None, "more"),
    ]  # fmt: skip


def test_the_runs_part_where_a_step_first_gave_something_else(run: Run, other: Run, finish: Finish) -> None:
    finish(run, steps=[step("a", 1), step("b", {"x": [1, 2]}), step("c", 3), step("d", 4)])
    finish(other, steps=[step("a", 1), step("b", {"x": [1, 3]}), step("c", None, status="failed"), step("e", 4)])
    found = compare(run, other)
    assert [(row.name, row.difference) for row in found.rows] == [
        ("a", ""), ("b", "gave something else"), ("c", "completed and failed"), ("d", "only in the first"),
        ("e", "only in the second"),
    ]  # fmt: skip
    assert found.first is not None
    assert found.first.number == 2


def test_replies_of_models_are_the_same_by_their_words_and_calls() -> None:
    def reply(text: str, tokens: int, **arguments: int) -> dict[str, Any]:
        call = {"id": f"id-{tokens}", "name": "look", "arguments": arguments}
        message = {"role": "assistant", "content": text, "tool_calls": [call]}
        return {"kind": "reply", "message": message, "usage": {"input_tokens": tokens}, "model": "m"}

    assert gist_of(reply("yes", 1, x=1)) == gist_of(reply("yes", 2, x=1))
    assert gist_of(reply("yes", 1, x=1)) != gist_of(reply("yes", 1, x=2))
    assert gist_of(reply("yes", 1)) != gist_of(reply("no", 1))
    assert gist_of(None, {"type": "A", "message": "m"}) != gist_of(None)


def test_the_page_shows_both_sides_and_the_first_difference_open(
    run: Run, other: Run, owner: User, signed_in: SignedIn, finish: Finish
) -> None:
    finish(run, steps=[step("same", 1), step("write", "one\ntwo\n", kind="stream")])
    finish(other, steps=[step("same", 1), step("write", "one\n<three>\n", kind="stream")])
    now = clock.now()
    usage = {"model": "m-1", "input_tokens": 1200, "output_tokens": 7, "cost": 0.5}
    for number in (1, 2):
        Attempt.objects.create(
            run=run, step_name="write", number=number, epoch=1, outcome="completed", started_at=now, usage=usage
        )
    page = page_of(signed_in(owner), run, other)
    assert "The runs first differ at step 2 of 2" in page
    assert "First difference" in page
    assert '<span class="remove" data-old="2">-' in page
    assert "&lt;three&gt;" in page
    assert "2,400 tokens in, 14 out" in page
    assert "$1.00" in page
    assert page.count(" open>") >= 1


def test_runs_that_gave_the_same_say_so(run: Run, other: Run, owner: User, signed_in: SignedIn, finish: Finish) -> None:
    finish(run, steps=[step("a", 1)])
    finish(other, steps=[step("a", 1)])
    client = signed_in(owner)
    assert "All 1 steps gave the same in both runs." in page_of(client, run, other)
    assert "No step differs." in page_of(client, run, other, "?show=differences")


def test_one_step_is_read_alone(run: Run, other: Run, owner: User, signed_in: SignedIn, finish: Finish) -> None:
    name = "write ä & 'b'"
    finish(run, steps=[step(name, "left")])
    finish(other, "failed", steps=[step(name, None, status="failed", error={"type": "OSError", "message": "gone"})])
    client = signed_in(owner)
    part = client.get(f"/runs/{run.pk}/compare/{other.pk}/", {"step": name, "part": "1"}).content.decode()
    assert "<html" not in part
    assert "-left" in part
    assert "OSError: gone" in part
    assert client.get(f"/runs/{run.pk}/compare/{other.pk}/", {"step": "none"}).status_code == 404
    assert client.get(f"/runs/{run.pk}/compare/{other.pk}/", {"step": "\0"}).status_code == 400


def test_long_runs_are_compared_whole_and_shown_a_page_at_a_time(
    run: Run, other: Run, owner: User, signed_in: SignedIn, finish: Finish
) -> None:
    count = ROWS_SHOWN + 1
    finish(run, steps=[step(f"s{number}", number) for number in range(count)])
    finish(other, steps=[step(f"s{number}", number if number < ROWS_SHOWN else -1) for number in range(count)])
    client = signed_in(owner)
    page = page_of(client, run, other)
    assert f"first differ at step {count} of {count}" in page
    assert page.count("data-compare") == ROWS_SHOWN
    assert page_of(client, run, other, "?page=2").count("data-compare") == 1
    assert page_of(client, run, other, "?page=99999&show=differences").count("data-compare") == 1


def test_secrets_are_masked_on_both_sides(other: Run, owner: User, signed_in: SignedIn, finish: Finish) -> None:
    order = {"title": "t", "count": 1, "password": "hunter2", "address": {"street": "s", "number": 1}}
    left = jobs.start("page-order", order, owner=owner).run
    finish(left, steps=[step("log-in", {"token": "hunter2"}, secrets=[["token"]])])
    finish(other, steps=[step("log-in", {"token": "hunter3"}, secrets=[["token"]])])
    client = signed_in(owner)
    page = page_of(client, left, other) + page_of(client, left, other, "?step=log-in")
    assert "***" in page
    assert "hunter" not in page


def test_both_runs_must_be_ones_that_the_reader_may_see(
    run: Run, owner: User, member: User, stranger: User, signed_in: SignedIn, finish: Finish
) -> None:
    finish(run, steps=[step("a", 1)])
    theirs = jobs.start("page-nothing", owner=stranger, team=stranger.groups.get()).run
    mine = jobs.start("page-nothing", owner=owner, team=owner.groups.get()).run
    assert "side by side" in page_of(signed_in(member), run, mine)
    for person, left, right in ((owner, run, theirs), (owner, theirs, run), (stranger, run, theirs)):
        client = signed_in(person)
        for query in ("", "?step=a&part=1"):
            assert client.get(f"/runs/{left.pk}/compare/{right.pk}/{query}").status_code == 404
    assert signed_in(stranger).get(f"/runs/{run.pk}/compare/").status_code == 404
    assert Client().get(f"/runs/{run.pk}/compare/{mine.pk}/").status_code == 302
    chosen = signed_in(owner).get(f"/runs/{run.pk}/compare/", {"other": str(theirs.pk)})
    assert "There is no such other run." in chosen.content.decode()
    assert str(theirs.pk) not in chosen.content.decode().replace(f'value="{theirs.pk}"', "")


def test_the_other_run_is_chosen_from_forks_and_runs_of_the_job_or_by_its_address(
    run: Run, other: Run, owner: User, signed_in: SignedIn
) -> None:
    fork = jobs.start("page-nothing", owner=owner, team=owner.groups.get()).run
    Run.objects.filter(pk=fork.pk).update(forked_from=run, forked_step="write")
    client = signed_in(owner)
    page = client.get(f"/runs/{run.pk}/compare/").content.decode()
    assert "forked from this run at step write" in page
    assert page.index(str(fork.pk)) < page.index(str(other.pk))
    address = f"https://perdure.example/runs/{other.pk}/steps/"
    answer = client.get(f"/runs/{run.pk}/compare/", {"other": address})
    assert (answer.status_code, answer["Location"]) == (302, f"/runs/{run.pk}/compare/{other.pk}/")
    assert "There is no such other run." in client.get(f"/runs/{run.pk}/compare/?other=x").content.decode()
    assert client.get(f"/runs/{run.pk}/compare/{run.pk}/")["Location"] == f"/runs/{run.pk}/compare/"


def test_an_id_is_found_in_what_somebody_pasted() -> None:
    found = read_id("  http://h/runs/0190f0c4-0000-7000-8000-000000000001/?step=a ")
    assert str(found) == "0190f0c4-0000-7000-8000-000000000001"
    assert read_id("nothing/at all") is None
