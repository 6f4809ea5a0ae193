"""What a POST asks for: a new turn, an answer to what people were asked, or what was begun before, told again.

One transaction, under the thread's lock: a client that sends the same twice, two clients at once, and a crash in
between all leave one turn or none.
"""

from dataclasses import dataclass
from typing import Any, Literal

from django.db import transaction
from django.db.models import QuerySet

from perdure.agui.errors import InterruptPending, RunConflict, ThreadBusy
from perdure.agui.inputs import RunInput
from perdure.agui.models import ProtocolRun, Thread, Turn
from perdure.agui.news import new_messages
from perdure.agui.passages import Place
from perdure.agui.pending import is_interrupted, read_pending
from perdure.agui.resuming import answer_interrupts
from perdure.agui.targets import find_target, shared_state, start
from perdure.agui.threads import get_thread, lock_thread, open_thread, visible_threads
from perdure.agui.transcript import settle_ended
from perdure.agui.turns import ClientRun, add_turn, continue_turn, live_turn
from runs.errors import RunNotFound
from runs.jobs import Actor

Kind = Literal["turn", "continue", "attach", "reconnect", "hydrate"]


@dataclass(frozen=True)
class Decision:
    """What the client is told: these protocol runs in order, the last one its own.

    `turn` began one, `continue` went on after answers, `attach` and `reconnect` (from `last_event_id` on) changed
    nothing; `hydrate` has no protocol run and tells the thread as it is.
    """

    kind: Kind
    thread: Thread
    run_id: str
    protocol_runs: list[ProtocolRun]
    last_event_id: str | None = None

    @property
    def turn(self) -> Turn | None:
        return self.protocol_runs[-1].turn if self.protocol_runs else None


def decide(user: Any, wanted: RunInput, last_event_id: str | None, actor: Actor) -> Decision:
    """Do what the input asks for, or refuse it and change nothing.

    Raises AguiError and RunsError, each with a status in `perdure.agui.errors`.
    """
    if last_event_id:
        return _reconnect(user, wanted, last_event_id)
    for thread in visible_threads(user).filter(thread_id=wanted.thread_id):
        settle_ended(thread)  # before anything is held: a log may be long
    try:
        return _decide(user, wanted, actor)
    except _AtWork as exc:  # what is asked is read from the whole log, so nothing is held any more
        raise _not_now(exc.turn) from None


@transaction.atomic
def _decide(user: Any, wanted: RunInput, actor: Actor) -> Decision:
    thread = _hold(user, wanted)
    known = _known(thread, wanted.run_id)
    if again := [one for one in known if one.input_digest == wanted.digest]:
        parts = known[known.index(again[-1]) :]
        return Decision("attach", thread, wanted.run_id, parts)
    if wanted.resume:
        return _resume(user, thread, wanted, known, actor)
    if known:
        raise RunConflict(wanted.run_id)
    return _begin(user, thread, wanted, actor)


def _reconnect(user: Any, wanted: RunInput, last_event_id: str) -> Decision:
    """Never a new run: whoever has an id was told of one."""
    thread = get_thread(user, wanted.thread_id)
    known = _known(thread, wanted.run_id) or _shown(thread, wanted, last_event_id)
    if not known:
        raise RunNotFound(wanted.run_id)
    return Decision("reconnect", thread, wanted.run_id, known, last_event_id)


def _shown(thread: Thread, wanted: RunInput, last_event_id: str) -> list[ProtocolRun]:
    """The run that was under way when the client asked for the thread, under a run id that began nothing."""
    shown = _runs_of(thread).filter(pk=Place.parse(last_event_id).part)
    for run in shown:
        run.protocol_version = wanted.protocol_version
    return list(shown)


def _hold(user: Any, wanted: RunInput) -> Thread:
    if wanted.resume:
        return lock_thread(user, wanted.thread_id)
    return open_thread(user, wanted.thread_id, wanted.team)


def _known(thread: Thread, run_id: str) -> list[ProtocolRun]:
    return list(_runs_of(thread).filter(run_id=run_id).order_by("part"))


def _runs_of(thread: Thread) -> QuerySet[ProtocolRun]:
    return ProtocolRun.objects.filter(thread=thread).select_related("turn__run", "turn__thread", "thread")


def _resume(user: Any, thread: Thread, wanted: RunInput, known: list[ProtocolRun], actor: Actor) -> Decision:
    """Some clients go on under the interrupted run's id, others under a new one. Their messages are not looked at:
    one of them puts a result of its own making before the call that waits."""
    resumed = answer_interrupts(user, thread, wanted.resume, actor)
    if known and known[-1].turn_id != resumed.turn.pk:
        raise RunConflict(wanted.run_id)
    part = continue_turn(resumed.turn, client_run(thread, wanted), will_go_on=resumed.will_go_on)
    return Decision("continue", thread, wanted.run_id, [part])


def _begin(user: Any, thread: Thread, wanted: RunInput, actor: Actor) -> Decision:
    settle_ended(thread)
    new = new_messages(thread, wanted.messages)
    nothing = not new and wanted.input is None
    if nothing and thread.turns.exists():
        return Decision("hydrate", thread, wanted.run_id, [])
    if (turn := live_turn(thread)) is not None:
        raise _AtWork(turn)
    target = find_target(user, wanted)
    run = start(user, thread, target, wanted, new, actor)
    _, part = add_turn(thread, run, new, client_run(thread, wanted), agent=target.name)
    return Decision("turn", thread, wanted.run_id, [part])


class _AtWork(Exception):
    def __init__(self, turn: Turn) -> None:
        self.turn = turn


def _not_now(turn: Turn) -> InterruptPending | ThreadBusy:
    if is_interrupted(turn) and (waiting := read_pending(turn).interrupts):
        return InterruptPending([one.model_dump(mode="json", by_alias=True) for one in waiting])
    newest = ProtocolRun.objects.filter(turn=turn).order_by("-id").values_list("run_id", flat=True).first()
    return ThreadBusy(turn.thread.thread_id, newest or "")


def client_run(thread: Thread, wanted: RunInput) -> ClientRun:
    """What is kept of the input. Its state is the one that counts."""
    return ClientRun(
        run_id=wanted.run_id, parent_run_id=wanted.parent_run_id, protocol_version=wanted.protocol_version,
        input_digest=wanted.digest, input=wanted.echo | {"state": shared_state(thread, wanted)},
    )  # fmt: skip
