"""A step with a checkpoint asks people before the steps that depend on it begin; the rest goes on meanwhile."""

from collections.abc import Callable

import pytest

from flows.pipelines.starting import rerun, start
from hitl.answers import answer
from hitl.errors import InvalidAnswer
from hitl.models import Question
from runs.models import Run, RunStatus, Step
from runs.testing import drain, run_to_end
from tests.pipelines.people import member

pytestmark = pytest.mark.django_db(transaction=True)

Use = Callable[..., None]

ASKING = """
type: asking
version: '1'
parallel: 1
steps:
  - {id: plan, kind: map, prompt: {user: the plan}, checkpoint: %s}
  - {id: aside, kind: map, prompt: {user: done meanwhile}}
  - {id: work, kind: map, depends_on: [plan], prompt: {user: "{{ previous.plan[0].data }}: {{ answers.plan.%s }}"}}
"""


def waiting() -> tuple[Run, Question]:
    owner = member("ann", "team")
    run = start("asking", owner=owner, team=owner.groups.get()).run
    drain()
    run.refresh_from_db()
    assert run.status == RunStatus.WAITING, run.error
    return run, Question.objects.get(run=run)


def test_the_next_step_sees_what_people_submit(own_pipelines: Use) -> None:
    own_pipelines(ASKING % ("true", "note"))
    run, question = waiting()
    assert (question.kind, question.title, question.step) == ("input", "plan: go on?", "plan: question")
    assert question.context == {"results": [{"label": "plan", "result": "the plan"}]}
    assert Step.objects.get(run=run, name="aside").status == "completed"
    assert not Step.objects.filter(run=run, name="work").exists()
    answer(question.id, member("ann", "team"), "submit", value={"note": "slowly"}, digest=question.digest)
    ended = run_to_end(run)
    assert ended.status == RunStatus.COMPLETED, ended.error
    assert ended.output["items"][-1]["data"]["text"] == "the plan: slowly"


def test_what_is_asked_may_have_its_own_schema_and_addressees(own_pipelines: Use) -> None:
    schema = "{type: object, properties: {go: {type: integer}}, required: [go]}"
    asked = f"{{title: 'How many?', body: 'Of {{{{ previous }}}}', to: [bob], schema: {schema}}}"
    own_pipelines(ASKING % (asked, "go"))
    bob = member("bob")
    run, question = waiting()
    assert (question.title, question.body, list(question.people.all())) == ("How many?", "Of {}", [bob])
    with pytest.raises(InvalidAnswer):
        answer(question.id, bob, "submit", value={"go": "many"}, digest=question.digest)
    answer(question.id, bob, "submit", value={"go": 3}, digest=question.digest)
    assert run_to_end(run).output["items"][-1]["data"]["text"] == "the plan: 3"


def test_a_rerun_that_takes_the_step_over_keeps_what_people_said(own_pipelines: Use) -> None:
    own_pipelines(ASKING % ("true", "note"))
    run, question = waiting()
    owner = member("ann", "team")
    answer(question.id, owner, "submit", value={"note": "slowly"}, digest=question.digest)
    run_to_end(run)
    again = run_to_end(rerun(run.id, user=owner, from_step="work", reuse_upstream=True).run)
    assert again.status == RunStatus.COMPLETED, again.error
    assert again.output["items"][-1]["data"]["text"] == "the plan: slowly"
    assert Question.objects.count() == 1


def test_with_other_input_people_are_asked_again(own_pipelines: Use) -> None:
    own_pipelines(ASKING % ("true", "note"))
    run, question = waiting()
    owner = member("ann", "team")
    answer(question.id, owner, "submit", value={"note": "slowly"}, digest=question.digest)
    run_to_end(run)
    other = {"options": {"new": True}}
    again = rerun(run.id, user=owner, from_step="work", reuse_upstream=True, override_input=other).run
    drain()
    assert Question.objects.get(run=again).status == "open"
