"""Many runs changed at once: as the person who asked, once each, with what refused listed."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from perdure.dashboard.bulk import choosing
from perdure.dashboard.bulk.acting import act
from perdure.dashboard.bulk.job import bulk_change
from perdure.dashboard.bulk.order import Action, BulkOrder
from runs import clock, jobs
from runs.models import Audit, Run
from runs.testing import drain

SignedIn = Callable[..., Client]
pytestmark = pytest.mark.django_db(transaction=True)


def waiting(count: int, **fields: Any) -> list[Run]:
    """Runs that nobody will take: they are due much later."""
    return [jobs.start("page-nothing", run_at=clock.now() + timedelta(days=30), **fields).run for _ in range(count)]


def statuses(runs: list[Run]) -> list[str]:
    found = dict(Run.objects.filter(pk__in=[run.pk for run in runs]).values_list("pk", "status"))
    return [found.get(run.pk, "gone") for run in runs]


def done(order: BulkOrder, owner: User | None) -> dict[str, Any]:
    """What the job returns for the order of that person."""
    started = jobs.start(bulk_change, order, owner=owner).run
    drain()
    started.refresh_from_db()
    assert started.status == "completed", started.error
    return dict(started.output)


def test_all_that_match_are_cancelled_and_nothing_newer(
    owner: User, member: User, team: Group, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choosing, "AT_ONCE", 2)
    ours, others = waiting(5, team=team, labels={"batch": "a"}), waiting(1, owner=owner, labels={"batch": "b"})
    order = BulkOrder(action=Action.CANCEL, query="label=batch%3Da", newest=ours[3].pk, reason="wrong data")
    result = done(order, member)
    assert statuses(ours) == ["cancelled"] * 4 + ["queued"]
    assert statuses(others) == ["queued"]
    assert (result["changed"], result["refused"]) == (4, 0)
    assert set(Run.objects.filter(status="cancelled").values_list("reason", flat=True)) == {"wrong data"}


def test_its_owner_decides_what_it_may_and_not_its_input(owner: User, stranger: User, team: Group) -> None:
    (theirs,), (mine,) = waiting(1, owner=owner, team=team), waiting(1, owner=stranger)
    result = done(BulkOrder(action=Action.CANCEL, runs=[theirs.pk, mine.pk]), stranger)
    assert statuses([theirs, mine]) == ["queued", "cancelled"]
    assert (result["changed"], result["refused"]) == (1, 1)
    assert [(one["run"], one["code"]) for one in result["refusals"]] == [(str(theirs.pk), "run_not_found")]
    assert done(BulkOrder(action=Action.CANCEL, query=""), None)["changed"] == 0
    assert statuses([theirs]) == ["queued"]


def test_whoever_may_not_sign_in_any_more_changes_nothing(owner: User) -> None:
    (run,) = waiting(1, owner=owner)
    User.objects.filter(pk=owner.pk).update(is_active=False)
    assert done(BulkOrder(action=Action.CANCEL, runs=[run.pk]), owner)["refused"] == 1
    assert statuses([run]) == ["queued"]


def test_failed_runs_are_retried_and_ended_ones_pruned(owner: User, finish: Callable[..., Run]) -> None:
    failed, completed = waiting(2, owner=owner)
    finish(failed, "failed")
    finish(completed, "completed")
    retried = done(BulkOrder(action=Action.RETRY, query=f"job={failed.job}"), owner)
    assert (retried["changed"], retried["refused"]) == (1, 0)
    assert Audit.objects.filter(action="run.retry", target=str(failed.pk)).exists()
    pruned = done(BulkOrder(action=Action.PRUNE, runs=[completed.pk]), owner)
    assert (pruned["changed"], statuses([completed])) == (1, ["gone"])


def test_a_call_that_is_made_again_after_a_crash_does_nothing_twice(owner: User) -> None:
    runs = waiting(3, owner=owner)
    order = BulkOrder(action=Action.CANCEL, runs=[run.pk for run in runs])
    bulk = jobs.start(bulk_change, order, owner=owner).run
    assert act(bulk.pk, order, [runs[0].pk]) == []  # the crash came here
    assert act(bulk.pk, order, [run.pk for run in runs]) == []
    assert statuses(runs) == ["cancelled"] * 3
    assert Audit.objects.filter(action="run.cancel").count() == 3


def test_it_never_cancels_itself(administrator: User) -> None:
    (run,) = waiting(1)
    result = done(BulkOrder(action=Action.CANCEL, query=""), administrator)
    assert statuses([run]) == ["cancelled"]
    assert [one["code"] for one in result["refusals"]] == ["run_not_found"]


@pytest.mark.parametrize("more", [{}, {"runs": [], "query": None}, {"runs": ["x"]}, {"query": "", "runs": [1]}])
def test_an_order_names_either_runs_or_a_filter(more: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="run"):
        BulkOrder(action=Action.CANCEL, **more)


def test_the_reason_stands_with_each_retry_and_each_pruning(owner: User, finish: Callable[..., Run]) -> None:
    failed, ended = (finish(one, "failed") for one in waiting(2, owner=owner))
    for action, run in ((Action.RETRY, failed), (Action.PRUNE, ended)):
        assert done(BulkOrder(action=action, runs=[run.pk], reason="bad input"), owner)["changed"] == 1
    rows = Audit.objects.filter(action__in=["run.retry", "run.delete"]).values_list("target", "data__reason")
    assert set(rows) == {(str(failed.pk), "bad input"), (str(ended.pk), "bad input")}
