"""What the run door does with a body, without HTTP; and the runs that ask."""

from typing import Any

from ag_ui.core import Interrupt
from django.contrib.auth.models import User

from perdure.agui.decisions import Decision, decide
from perdure.agui.inputs import read_run_input
from perdure.agui.models import Thread
from perdure.agui.pending import read_pending
from perdure.agui.turns import live_turn
from runs.jobs import Actor
from runs.testing import drain
from tests.agui import door_jobs  # noqa: F401  (registers them)

Body = dict[str, Any]


def body(text: str | None = None, *, thread: str = "t1", run: str = "r1", job: str = "talk-echo", **more: Any) -> Body:
    """A RunAgentInput as clients send it, with one message of the user."""
    messages = [] if text is None else [{"id": f"u-{run}", "role": "user", "content": text}]
    props = {"job": job} | more.pop("props", {})
    return {
        "threadId": thread, "runId": run, "messages": messages, "tools": [], "context": [], "state": {},
        "protocolVersion": "1.0", "forwardedProps": props,
    } | more  # fmt: skip


def post(user: User, sent: Body, last_event_id: str | None = None) -> Decision:
    return decide(user, read_run_input(sent), last_event_id, Actor.of(user))


def resume(*entries: dict[str, Any], run: str = "r2", **more: Any) -> Body:
    return body(None, run=run, resume=list(entries), **more)


def resolved(interrupt: Interrupt, payload: Any) -> dict[str, Any]:
    return {"interruptId": interrupt.id, "status": "resolved", "payload": payload}


def cancelled(interrupt: Interrupt) -> dict[str, Any]:
    return {"interruptId": interrupt.id, "status": "cancelled"}


def asked(user: User, *kinds: str, thread: str = "t1", run: str = "r1", **options: Any) -> list[Interrupt]:
    """A turn that asks questions of these kinds, and waits; its interrupts in their order."""
    props = {"team": options.pop("team")} if "team" in options else {}
    given = {"kinds": list(kinds), "to": [user.get_username()]} | options
    sent = body(None, thread=thread, run=run, job="talk-questions", props=props | {"input": given})
    post(user, sent)
    drain()
    found = {one.message: one for one in pending(thread)}
    return [found[f"{kind}?"] for kind in kinds]


def pending(thread: str = "t1") -> list[Interrupt]:
    turn = live_turn(Thread.objects.get(thread_id=thread))
    return read_pending(turn).interrupts if turn is not None else []
