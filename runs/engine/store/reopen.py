"""Which steps of a failed run a retry begins again; the caller has the run's row locked."""

from django.db.models import Min

from runs import clock
from runs.events.types import EventType
from runs.models import Event, Run, Step, StepStatus

_WAITS = ("sleep", "signal", "child", "start_child")
_ENDS = (EventType.STEP_COMPLETE.value, EventType.STEP_FAIL.value, EventType.STEP_SKIP.value)


def reopen_steps(run: Run) -> list[str]:
    """The steps that failed the run, those that its end found at work, and those that the job cancelled over it."""
    failed = _failed_steps(run, (run.error or {}).get("steps", []))
    stopped = Step.objects.filter(run=run, status=StepStatus.STOPPED)
    _make_tentative(run, failed)
    names = [*failed, *stopped.values_list("name", flat=True), *_cancelled_over(run, failed)]
    again = {"failures": 0, "error": None, "finished_at": None}
    # a wait that was stopped goes on as it was; another begins anew, with all of its time
    stopped.filter(kind__in=_WAITS).update(status=StepStatus.RUNNING, **again)
    reopened = Step.objects.filter(run=run, name__in=names).exclude(status=StepStatus.RUNNING)
    reopened.filter(kind__in=_WAITS).update(status=StepStatus.RETRYING, wake_at=None, **again)
    reopened.exclude(kind__in=_WAITS).update(status=StepStatus.RETRYING, wake_at=clock.now(), **again)
    return names


def _make_tentative(run: Run, failed: list[str]) -> None:
    """What the job's code recorded on its way out, such as a clean-up in `except`: if the failed step ends well now,
    nobody asks for it. What is still to be done is left out: the run would end with a step open."""
    since = min(_last_sequences(run, [EventType.STEP_FAIL.value], failed).values(), default=None)
    if since is None:
        return
    begun = Event.objects.filter(run=run, step__isnull=False).order_by().values("step").annotate(first=Min("sequence"))
    after = begun.filter(first__gt=since).values_list("step", flat=True)
    settled = [StepStatus.COMPLETED, StepStatus.FAILED, StepStatus.CANCELLED, StepStatus.SKIPPED]
    rows = Step.objects.filter(run=run, name__in=list(after), status__in=settled)
    rows.exclude(name__in=failed).update(is_tentative=True)


def _failed_steps(run: Run, names: list[str]) -> list[str]:
    """These and, where one is a race, those that failed it."""
    found: list[str] = []
    for step in Step.objects.filter(run=run, status=StepStatus.FAILED, name__in=names):
        found += [step.name, *_failed_steps(run, (step.error or {}).get("steps", []))]
    return found


def _cancelled_over(run: Run, failed: list[str]) -> list[str]:
    """Steps that the job's code cancelled because of the failure, as a TaskGroup does with the siblings.

    After a retry that ends well nobody would cancel them again, and a replayed cancelled step waits for just that.
    Left out: what was cancelled before the failure, and where the code went on to record another end, as after a
    timeout or a race; that road belongs to the history.
    """
    steps = {step.name: step for step in Step.objects.filter(run=run).only("name", "branch", "position", "status")}
    cancelled = [name for name, step in steps.items() if step.status == StepStatus.CANCELLED]
    if not cancelled:
        return []
    since = min(_last_sequences(run, [EventType.STEP_FAIL.value], failed).values(), default=0)
    at = _last_sequences(run, [EventType.STEP_CANCEL.value], cancelled)
    ends = _last_sequences(run, _ENDS, list(steps.keys() - set(failed)))

    def went_on(name: str) -> bool:
        own, when = steps[name], at[name]
        later = [other for other in steps.values() if other.branch == own.branch and other.position > own.position]
        return bool(later) or any(
            end > when and own.branch.startswith(f"{steps[other].branch}.") for other, end in ends.items()
        )

    return [name for name, when in at.items() if when > since and not went_on(name)]


def _last_sequences(run: Run, types: "list[str] | tuple[str, ...]", names: list[str]) -> dict[str, int]:
    rows = Event.objects.filter(run=run, type__in=types).order_by("sequence").values_list("step", "sequence")
    return {step: sequence for step, sequence in rows if step in set(names)}
