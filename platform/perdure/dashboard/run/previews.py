"""What an action would do to a run as it stands now, said before anybody confirms it."""

from collections.abc import Callable

from hitl.models import QuestionStatus
from runs.models import ENDED, Artifact, Run, RunStatus, Step, StepStatus

NAMES_SHOWN = 3
_SETTLED = (StepStatus.COMPLETED, StepStatus.SKIPPED)


def preview(run: Run, action: str) -> list[str]:
    """Sentences, the most important one first; counted now, so that they may be out of date in a moment."""
    return _PREVIEWS[action](run)


def children_under_way(run: Run) -> tuple[int, int]:
    """How many a cancel of the run reaches, and how many go on by themselves."""
    living = Run.objects.filter(parent=run).exclude(status__in=ENDED)
    return living.filter(is_detached=False).count(), living.filter(is_detached=True).count()


def _cancel(run: Run) -> list[str]:
    reached, detached = children_under_way(run)
    asked = run.questions.filter(status=QuestionStatus.OPEN).count()
    return [
        "It stops now and cannot go on later. What its steps have recorded stays readable.",
        _names(
            "Step {} stops, without a result on record.", "Steps {} stop, without results on record.", _working(run)
        ),
        _counted(reached, "One child run is cancelled too.", "{} child runs are cancelled too."),
        _counted(detached, "One child run that was detached goes on.", "{} detached child runs go on."),
        _counted(asked, "Its open question can no longer be answered.", "Its {} questions can no longer be answered."),
    ]


def _pause(run: Run) -> list[str]:
    reached, detached = children_under_way(run)
    working = _working(run) if run.status == RunStatus.RUNNING else []
    return [
        _names("It holds when step {} has ended.", "It holds when steps {} have ended.", working)
        or "It holds at once.",
        "Signals and answers that come meanwhile are kept for it.",
        _counted(reached + detached, "Its child run is not paused.", "Its {} child runs are not paused."),
    ]


def _resume(run: Run) -> list[str]:
    if run.pause_wanted and run.status == RunStatus.RUNNING:
        return ["It has not held yet: it goes on as if nobody had asked it to pause."]
    return ["A worker takes it up where it held.", _kept(run), _why_paused(run)]


def _retry(run: Run) -> list[str]:
    failed = [step.name for step in run.steps.filter(status=StepStatus.FAILED).order_by("id")]
    return [
        _names("Step {} is tried again.", "Steps {} are tried again.", failed) or "It begins again where it failed.",
        _kept(run),
        f"It failed with {run.error['type']}: see to the cause first, or it fails again." if run.error else "",
    ]


def _again(run: Run) -> list[str]:
    return [
        f"A new run of {run.job}, version {run.job_version}, begins with the same input and labels.",
        "Nothing that this run has recorded is used again. To keep some of it, fork from a step.",
    ]


def _delete(run: Run) -> list[str]:
    files = Artifact.objects.filter(run=run).count()
    return [
        f"Its {_number(run.steps.count(), 'step')}, {_number(run.events.count(), 'event')} and its result are deleted."
        " This cannot be undone.",
        _counted(files, "The file that it saved is deleted too.", "The {} files that it saved are deleted too."),
        "Who deleted it, and when, stays on record.",
    ]


_PREVIEWS: dict[str, Callable[[Run], list[str]]] = {
    "cancel": _cancel, "pause": _pause, "resume": _resume, "retry": _retry, "again": _again, "delete": _delete,
}  # fmt: skip


def _working(run: Run) -> list[str]:
    open_now = Step.objects.filter(run=run, status__in=[StepStatus.RUNNING, StepStatus.RETRYING]).order_by("id")
    return list(open_now.values_list("name", flat=True))


def _kept(run: Run) -> str:
    done = run.steps.filter(status__in=_SETTLED).count()
    return _counted(done, "One recorded step is not done again.", "{} recorded steps are not done again.")


def _why_paused(run: Run) -> str:
    error = run.error or {}
    return f"It was paused by {error['type']}: see to the cause first, or it holds again." if error.get("type") else ""


def _names(one: str, many: str, names: list[str]) -> str:
    if not names:
        return ""
    more = len(names) - NAMES_SHOWN
    listed = ", ".join(names[:NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")
    return (one if len(names) == 1 else many).format(listed)


def _counted(number: int, one: str, many: str) -> str:
    return "" if not number else one if number == 1 else many.format(number)


def _number(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
