"""What stands round every tab of a run: the tabs that have something, and the actions that its status allows."""

import re
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client

from hitl.models import Question
from perdure.dashboard.run.offers import offers_of
from perdure.dashboard.run.tabs import TABS, read_tabs
from runs import clock, jobs
from runs.models import Artifact, Run, RunStatus

SignedIn = Callable[..., Client]


def keys(run: Run, current: str = "overview") -> list[str]:
    return [tab.key for tab in read_tabs(run, current)]


def test_a_tab_shows_where_it_has_something_and_where_one_is(run: Run, owner: User) -> None:
    assert not {"questions", "files", "tree"} & set(keys(run))
    assert {"overview", "steps", "log", "audit"} <= set(keys(run))
    assert "files" in keys(run, "files")
    Question.objects.create(run=run, step="ask", kind="approval", title="?", digest="d", created_at=clock.now())
    Artifact.objects.create(
        run=run, step_name="one", name="a", version=1, size=1, media_type="text/plain", created_at=clock.now()
    )
    child = jobs.start("page-nothing", owner=owner).run
    Run.objects.filter(pk=child.pk).update(parent=run)
    shown = keys(run)
    assert {"questions", "files", "tree"} <= set(shown)
    assert shown == [tab.key for tab in TABS if tab.key in shown]


@pytest.mark.parametrize("tab", [tab.key for tab in TABS if tab.key not in ("graph", "state")])
def test_each_tab_is_an_address_that_marks_itself(tab: str, run: Run, owner: User, signed_in: SignedIn) -> None:
    page = signed_in(owner).get(f"/runs/{run.pk}/{'' if tab == 'overview' else f'{tab}/'}").content.decode()
    assert re.findall(r'data-tab="([\w-]+)" aria-current="page"', page) == [tab]
    assert f'<main id="main" tabindex="-1" data-run="{run.pk}" data-tab="{tab}"' in page


def test_a_summary_holds_the_parts_and_not_the_state(run: Run, owner: User, signed_in: SignedIn) -> None:
    page = signed_in(owner).get(f"/runs/{run.pk}/?summary").content.decode()
    assert 'data-part="sentence"' in page
    assert 'id="run-state"' not in page


@pytest.mark.parametrize(
    ("status", "shown", "menu"),
    [
        (RunStatus.RUNNING, ["Pause", "Cancel run"], ["Send signal"]),
        (RunStatus.PAUSED, ["Resume", "Cancel run"], ["Send signal"]),
        (RunStatus.FAILED, ["Retry", "Start again"], ["Delete run"]),
        (RunStatus.COMPLETED, ["Start again"], ["Delete run"]),
        (RunStatus.CANCELLED, ["Start again"], ["Delete run"]),
    ],
)
def test_actions_are_those_that_the_status_allows(status: str, shown: list[str], menu: list[str], run: Run) -> None:
    run.status = status
    offers = offers_of(run, True)
    assert [action.label for action in offers.shown] == shown
    labels = [action.label for action in offers.menu]
    assert set(menu) | {"Start one like this", "Fork from a step"} <= set(labels)
    assert offers_of(run, False).shown == offers_of(run, False).menu == []


def test_a_run_without_its_history_is_not_forked(run: Run) -> None:
    run.status, run.first_sequence = RunStatus.COMPLETED, 9
    assert "Fork from a step" not in [action.label for action in offers_of(run, True).menu]
