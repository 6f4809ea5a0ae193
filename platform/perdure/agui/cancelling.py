"""Stopping what is under way, as its client asks."""

from typing import Any

from django.db import transaction

from perdure.agui.errors import InvalidSessionState
from perdure.agui.threads import lock_thread
from perdure.agui.turns import find_protocol_runs
from runs import jobs
from runs.jobs import Actor
from runs.models import Run, RunStatus


def cancel_run(user: Any, run_id: str, actor: Actor) -> None:
    """Stop the whole turn that the protocol run is of. Once more changes nothing.

    Raises RunNotFound, and InvalidSessionState for one that ended otherwise.
    """
    found = find_protocol_runs(user, run_id)[-1]
    with transaction.atomic():
        lock_thread(user, found.thread.thread_id)
        work = Run.objects.filter(agui_turn=found.turn).first()
        if work is not None and not work.has_ended:
            jobs.cancel(work.id, actor=actor, reason="Cancelled by its client.")
        elif work is None or work.status != RunStatus.CANCELLED:
            status = "gone" if work is None else work.status
            raise InvalidSessionState(f"The run is {status}, so there is nothing to cancel. Begin a new one.")
