"""Which actions a run's page offers: one or two buttons, and the rest in a menu."""

from dataclasses import dataclass, field

from django.urls import reverse

from flows.agents.naming import JOB as FLOW
from runs.models import Run, RunStatus


@dataclass(frozen=True)
class Action:
    """`asks`: its page is a question that fits a dialog."""

    label: str
    href: str
    icon: str
    tone: str = ""
    asks: bool = True


@dataclass(frozen=True)
class Offers:
    shown: list[Action] = field(default_factory=list)
    menu: list[Action] = field(default_factory=list)


def offers_of(run: Run, may_change: bool) -> Offers:
    """None at all for who may only look."""
    if not may_change:
        return Offers()
    return _of_ended(run) if run.has_ended else _of_living(run)


def _of_living(run: Run) -> Offers:
    holds = run.status == RunStatus.PAUSED or run.pause_wanted
    hold = _action(run, "Resume", "resume", "play", "primary") if holds else _action(run, "Pause", "pause", "paused")
    menu = [_action(run, "Send signal", "signal", "signal")]
    if run.job == FLOW:
        menu.append(Action("Tell the agents", f"{_href(run, 'run')}#tell", "message", asks=False))
    return Offers([hold, _action(run, "Cancel run", "cancel", "stopped", "danger")], [*menu, *_anew(run)])


def _of_ended(run: Run) -> Offers:
    again = _action(run, "Start again", "again", "retrying")
    shown = [again]
    if run.status == RunStatus.FAILED:
        shown = [_action(run, "Retry", "retry", "retrying", "primary"), again]
    return Offers(shown, [*_anew(run), _action(run, "Delete run", "delete", "broom", "danger")])


def _anew(run: Run) -> list[Action]:
    like = Action("Start one like this", start_like(run), "play", asks=False)
    compare = Action("Compare with another run", _href(run, "run-compare-choose"), "compare", asks=False)
    if run.pruned_at is not None or run.first_sequence > 1:
        return [like, compare]
    return [like, Action("Fork from a step", _href(run, "run-fork"), "fork", asks=False), compare]


def start_like(run: Run) -> str:
    """The start page of its job, filled with its input."""
    return f"{reverse('dashboard:start', args=[run.job])}?like={run.pk}"


def _action(run: Run, label: str, name: str, icon: str, tone: str = "") -> Action:
    return Action(label, _href(run, f"run-{name}"), icon, tone)


def _href(run: Run, name: str) -> str:
    return reverse(f"dashboard:{name}", args=[run.pk])
