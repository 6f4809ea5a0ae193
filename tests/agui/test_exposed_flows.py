"""A conversation with an agent flow: those that are exposed are agents, the user's text is the task."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from flows.agents import stored
from perdure.agui.capabilities import shown_capabilities
from perdure.agui.copilotkit.agents import agent_shapes
from perdure.agui.errors import AgentNotFound, InvalidInput
from perdure.agui.models import Thread
from runs.models import Run, Step
from runs.testing import drain
from tests.agui.asking import body, post

pytestmark = pytest.mark.usefixtures("transactional_db")
EXPOSED: dict[str, Any] = {
    "name": "helper", "description": "Helps.", "agui": True, "personas": {"one": "You help."},
    "steps": [{"name": "help", "persona": "one", "instruction": "Do: {task} {var:how}"}],
    "subworkflow": {"params": {"how": {"default": "well"}}},
}  # fmt: skip


def test_an_exposed_flow_is_an_agent_and_the_users_text_its_task(bob: User) -> None:
    stored.store(EXPOSED)
    decision = post(bob, body("sort the shelf", job="helper"))
    assert decision.thread.agent == "helper"
    drain()
    run = Run.objects.get()
    assert run.status == "completed", run.error
    assert (run.owner, run.labels["flow"], run.input["task"]) == (bob, "helper", "sort the shelf")
    assert "Do: sort the shelf" in Step.objects.get(name="1. help: instruction").output["instruction"]
    assert shown_capabilities(None)["agents"]["helper"]["identity"]["description"] == "Helps."
    assert "helper" in agent_shapes()


def test_a_flow_that_is_not_exposed_is_not_there(bob: User) -> None:
    stored.store(EXPOSED | {"agui": False})
    for name in ("helper", "agent-flow"):
        with pytest.raises(AgentNotFound):
            post(bob, body("hello", job=name))
    assert "helper" not in shown_capabilities(None)["agents"]
    assert not Thread.objects.exists()


@pytest.mark.parametrize(
    "given",
    ["x", {"task": 1}, {"folder": "/"}, {"vars": {"a": 1}}, {"vars": []}, {"task": "x" * 200_001}, {"task": ""}],
)
def test_an_input_of_another_shape_is_refused_and_nothing_kept(bob: User, given: Any) -> None:
    stored.store(EXPOSED)
    with pytest.raises(InvalidInput):
        post(bob, body(None, job="helper", props={"input": given}))
    assert not Thread.objects.exists()
    assert not Run.objects.exists()
