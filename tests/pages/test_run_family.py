"""The family of a run: parents, children and forks in one tree, as far as one may see them; and who did what to it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from perdure.dashboard.run.audit import SHOWN, read_deeds
from perdure.dashboard.run.family import Branch, read_tree
from runs import clock, jobs
from runs.models import Audit, Run

pytestmark = pytest.mark.django_db
SignedIn = Callable[..., Client]


def made(owner: User, **fields: Any) -> Run:
    run = jobs.start("page-nothing", owner=owner).run
    Run.objects.filter(pk=run.pk).update(**fields)
    run.refresh_from_db()
    return run


def shape(branches: list[Branch]) -> list[Any]:
    return [(one.run, one.is_fork, shape(one.branches)) for one in branches]


def test_children_stand_below_their_parents_and_forks_below_their_origin(run: Run, owner: User) -> None:
    child = made(owner, parent=run, root=run)
    grandchild = made(owner, parent=child, root=run)
    fork = made(owner, forked_from=child, forked_step="two")
    for here in (run, child, grandchild):
        tree = read_tree(owner, here)
        assert shape(tree.tops) == [
            (run, False, [(child, False, [(grandchild, False, []), (fork, True, [])])])
        ]  # fmt: skip
    of_fork = read_tree(owner, fork)
    assert shape(of_fork.tops) == [(child, False, [(fork, True, [])])]
    assert of_fork.is_live


def test_what_one_may_not_see_is_left_out_and_its_children_stand_by_themselves(
    run: Run, owner: User, stranger: User, signed_in: SignedIn
) -> None:
    hidden = made(stranger, parent=run, root=run)
    mine = made(owner, parent=hidden, root=run)
    tree = read_tree(owner, mine)
    assert shape(tree.tops) == [(run, False, []), (mine, False, [])]
    page = signed_in(owner).get(f"/runs/{run.pk}/tree/").content.decode()
    assert str(hidden.pk) not in page
    assert f'href="/runs/{mine.pk}/"' in page


def test_the_audit_names_people_reasons_and_addresses(run: Run, member: User, signed_in: SignedIn) -> None:
    client = signed_in(member, REMOTE_ADDR="192.0.2.7")
    client.post(f"/runs/{run.pk}/cancel/", {"reason": "<b>no"})
    page = client.get(f"/runs/{run.pk}/audit/").content.decode()
    for text in ("Cancelled it", "&lt;b&gt;no", "192.0.2.7", "mika"):
        assert text in page


def test_a_long_audit_is_read_in_pages(run: Run, owner: User, signed_in: SignedIn) -> None:
    Audit.objects.filter(target=str(run.pk)).delete()
    rows = [
        Audit(at=clock.now(), actor_kind="user", action="run.note", target=str(run.pk), data={"n": "x" * 900})
        for _ in range(SHOWN + 1)
    ]
    Audit.objects.bulk_create(rows)
    first, more = read_deeds(run)
    assert (len(first), more, len(first[0].more)) == (SHOWN, True, 300)
    rest, more = read_deeds(run, first[-1].row.pk)
    assert (len(rest), more) == (1, False)
    for before in ("x", "-1", "9" * 30):
        assert signed_in(owner).get(f"/runs/{run.pk}/audit/?before={before}").status_code == 400


def test_a_family_of_many_generations_is_drawn(run: Run, owner: User, signed_in: SignedIn) -> None:
    below = run
    for _ in range(60):
        below = made(owner, parent=below, root=run)
    page = signed_in(owner).get(f"/runs/{run.pk}/tree/")
    assert page.status_code == 200
    assert all(page.content.decode().count(f"run-{one.pk}") == 1 for one in Run.objects.filter(root=run))
