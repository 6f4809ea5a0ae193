"""A conversation with a pipeline: named, or sent along by who may; refused before anything is kept."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User

from flows.llm.models import ProviderProfile
from flows.pipelines import stored
from flows.pipelines.errors import InvalidPipeline
from perdure.agui.errors import PermissionDenied
from perdure.agui.models import Thread
from runs import clock
from runs.models import Run
from runs.testing import drain
from tests.agui.asking import body, post

pytestmark = pytest.mark.usefixtures("transactional_db")
SHOUT: dict[str, Any] = {
    "type": "shout", "version": "1",
    "steps": [{"id": "loud", "kind": "map", "mode": "fanout",
               "prompt": {"user": "{{ source.content|upper }}{{ options.mark|default('') }}"}}],
}  # fmt: skip


def inline(document: Any, **more: Any) -> dict[str, Any]:
    data = {"workflow": document} | more
    return body("hello", context=[{"type": "workflow_inline", "data": data}])


def may_start_inline(user: User) -> User:
    user.user_permissions.add(Permission.objects.get(codename="start_inline"))
    return User.objects.get(pk=user.pk)


def results() -> list[Any]:
    drain()
    run = Run.objects.get()
    assert run.status == "completed", run.error
    return [item["data"]["text"] for item in run.output["items"]]


def nothing_kept() -> bool:
    return not Thread.objects.exists() and not Run.objects.exists()


def test_a_pipeline_is_named_like_a_job(bob: User) -> None:
    stored.store(SHOUT)
    decision = post(bob, body("hello", job="shout"))
    assert decision.thread.agent == "shout"
    assert results() == ["HELLO"]


def test_a_pipeline_takes_an_input_of_its_own(bob: User) -> None:
    stored.store(SHOUT)
    sources = [{"kind": "raw", "label": "a", "content": "one"}, {"kind": "raw", "label": "b", "content": "two"}]
    post(bob, body(None, job="shout", props={"input": {"sources": sources, "options": {"mark": "!"}}}))
    assert results() == ["ONE!", "TWO!"]


def test_a_workflow_that_comes_along_is_run_for_who_may_start_it(bob: User) -> None:
    with pytest.raises(PermissionDenied):
        post(bob, inline(SHOUT))
    assert nothing_kept()
    post(may_start_inline(bob), inline(SHOUT, workflowContext={"mark": "?"}))
    assert results() == ["HELLO?"]


FORBIDDEN: list[dict[str, Any]] = [
    {"kind": "custom", "function": "os.system"},
    {"kind": "tool", "tool": "os.system"},
    {"kind": "llm", "prompt": {"user": "x"}, "approve": "none"},
    {"kind": "llm", "prompt": {"user": "x"}, "provider_override": {"base_uri": "http://evil.example"}},
]


def test_a_workflow_that_comes_along_may_no_more_than_a_stored_one(bob: User) -> None:
    user = may_start_inline(bob)
    for document in ("steps: [" * 200, *(SHOUT | {"steps": [{"id": "a"} | step]} for step in FORBIDDEN)):
        with pytest.raises(InvalidPipeline):
            post(user, inline(document))
    assert nothing_kept()


def test_a_pipeline_whose_provider_is_gone_is_refused(bob: User) -> None:
    profile = ProviderProfile.objects.create(id="soon-gone", kind="scripted", updated_at=clock.now())
    asking = {"id": "a", "kind": "llm", "provider_profile_id": "soon-gone", "prompt": {"user": "x"}}
    stored.store(SHOUT | {"steps": [asking]})
    profile.delete()
    with pytest.raises(InvalidPipeline, match="soon-gone"):
        post(bob, body("hello", job="shout"))
    assert nothing_kept()
