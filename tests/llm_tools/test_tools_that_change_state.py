"""A tool changes the run's state by what it returns: once, in one order, also after crashes."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.llm import turns
from flows.llm.tools import Approval, ToolResult, tool
from flows.llm.tools.results import merged
from flows.llm.tools.toolbox import Toolbox
from providers.messages import ToolCall
from runs import jobs
from runs.jobs import StepContext, job
from runs.models import Event, Run
from runs.testing import crash_after, drain, temporary_jobs
from tests.llm_tools.conftest import driven
from tests.llm_tools.test_approvals import answered


@tool
async def note(title: str, text: str | None) -> ToolResult:
    """Note something."""
    return ToolResult({"noted": title}, state={"notes": {title: text}, "last": title})


@tool(needs_approval=True)
def note_asked(title: str, text: str | None) -> ToolResult:
    """Note something that people allow."""
    return ToolResult("noted", state={"notes": {title: text}, "last": title})


@pytest.fixture
def noting(transactional_db: None, team: Group) -> Any:
    """Starts and drives a run that performs these calls `(tool, title)`; its output is its state."""
    with temporary_jobs():

        @job("note")
        async def perform(step: StepContext, calls: list[ToolCall]) -> dict[str, Any]:
            step.state.set({"notes": {"old": "gone"}, "kept": True})
            box = Toolbox.of([note, note_asked], (), Approval())
            performed = await turns.perform(step, "draft", 1, calls, box)
            return {"state": step.state.value, "told": [one.text for one in performed.messages]}

        def make(*calls: tuple[str, str, str | None]) -> Run:
            asked = [{"id": "c", "name": name, "arguments": {"title": at, "text": text}} for name, at, text in calls]
            run = jobs.start("note", asked, team=team).run
            drain()
            return jobs.get(run.id)

        yield make


def patches(run: Run) -> list[Any]:
    return [event.data["patch"] for event in Event.objects.filter(run=run, type="state:patch").order_by("sequence")]


def test_the_state_is_merged_and_the_model_reads_the_content(noting: Any) -> None:
    run = noting(("note", "tea", "green"), ("note", "old", None))
    assert run.output["state"] == {"notes": {"tea": "green"}, "kept": True, "last": "old"}
    assert run.output["told"] == ['{"noted":"tea"}', '{"noted":"old"}']
    assert len(patches(run)) == 3


def test_what_waits_for_people_does_not_hold_up_the_others(noting: Any, alice: User) -> None:
    run = noting(("note_asked", "tea", "green"), ("note", "milk", "white"))
    assert run.status == "waiting"
    assert sorted(one["path"] for one in patches(run)[-1]) == ["/last", "/notes/milk"]
    run = answered(run, alice)
    assert run.output["state"]["notes"] == {"old": "gone", "milk": "white", "tea": "green"}
    assert len(patches(run)) == 3


@pytest.mark.parametrize("after", ["draft: note#1.1", "draft: note_asked#1.2: approval", "draft: note_asked#1.2"])
def test_a_crash_changes_it_neither_twice_nor_in_another_order(noting: Any, alice: User, after: str) -> None:
    with crash_after(after):
        run = noting(("note", "a", "1"), ("note_asked", "b", "2"), ("note", "c", "3"))
        if run.status == "waiting":
            answered(run, alice)
    run = driven(run)
    if run.status == "waiting":
        run = answered(run, alice)
    assert run.output["state"] == {"notes": {"old": "gone", "a": "1", "c": "3", "b": "2"}, "kept": True, "last": "b"}
    assert len(patches(run)) == 4


def test_a_denied_call_changes_nothing(noting: Any, alice: User) -> None:
    run = answered(noting(("note_asked", "a", "1")), alice, "deny")
    assert run.output["state"] == {"notes": {"old": "gone"}, "kept": True}


DOCUMENTS = st.recursive(
    st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=4,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a loaded machine is slow
@given(DOCUMENTS, DOCUMENTS)
def test_any_patch_fits_any_document_and_fits_it_twice(document: Any, patch: Any) -> None:
    once = merged(document, patch)
    assert merged(once, patch) == once


def test_null_removes_as_rfc_7396_says() -> None:
    assert merged({"a": "b", "c": {"d": "e", "f": "g"}}, {"a": "z", "c": {"f": None}}) == {"a": "z", "c": {"d": "e"}}
    assert merged({"e": None}, {"a": 1}) == {"e": None, "a": 1}
    assert merged([1, 2], {"a": {"bb": {"ccc": None}}}) == {"a": {"bb": {}}}
