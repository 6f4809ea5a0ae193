"""One run after the other, as the person who asked for it: what they may not do, their order may not either."""

from typing import Any
from uuid import UUID

from django.contrib.auth.models import User

from perdure.dashboard.bulk.order import Action, BulkOrder, Refusal
from runs import jobs
from runs.errors import RunNotFound, RunsError
from runs.models import Audit, Run

_AUDITED = {Action.CANCEL: "run.cancel", Action.RETRY: "run.retry", Action.PRUNE: "run.delete"}


def person_of(run_id: UUID) -> User | None:
    """Whose order it is. Not the input says so, which anybody writes: the run's owner does."""
    owner: User | None = Run.objects.select_related("owner").get(pk=run_id).owner
    return owner


def act(bulk_id: UUID, order: BulkOrder, ids: list[UUID]) -> list[Refusal]:
    """Do it to each; those that refused. A call that a crash ended in the middle may be made again: what this order
    has done to a run stands in the audit, and is not done twice."""
    person = person_of(bulk_id)
    if person is None:
        return [Refusal(run=one, code="run_not_found", message=str(RunNotFound(one))) for one in ids]
    actor = jobs.Actor("user", str(person.pk), f"{person.get_username()}, bulk change {bulk_id}")
    targets = [str(one) for one in ids]
    audits = Audit.objects.filter(action=_AUDITED[order.action], actor_name=actor.name, target__in=targets)
    done = set(audits.values_list("target", flat=True))
    refusals = [_act_on(one, person, order, actor, bulk_id) for one in ids if str(one) not in done]
    return [refusal for refusal in refusals if refusal is not None]


def _act_on(run_id: UUID, person: Any, order: BulkOrder, actor: jobs.Actor, bulk_id: UUID) -> Refusal | None:
    try:
        if run_id == bulk_id or not jobs.visible_runs(person).filter(pk=run_id).exists():
            raise RunNotFound(run_id)
        if order.action is Action.CANCEL:
            jobs.cancel(run_id, actor=actor, reason=order.reason)
        elif order.action is Action.RETRY:
            jobs.retry(run_id, actor=actor, reason=order.reason)
        else:
            jobs.delete(run_id, actor=actor, reason=order.reason)
    except RunsError as exc:
        return Refusal(run=run_id, code=exc.code, message=str(exc))
    return None
