"""`manage.py flow run FLOW --task TEXT [--follow]`: start a run of a flow from the command line."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.management.base import BaseCommand, CommandError
from django.utils.timezone import localtime

from flows.agents import starting
from flows.agents.commands import given
from runs import jobs
from runs.errors import RunsError
from runs.events.types import EventType, RunEvent
from runs.jobs import Actor
from runs.management.following import BAD_INPUT, follow, owner_named, printable

HELP = "Start a run of a flow and print its id and address. With --follow, print its transitions until it ends."


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("flow", metavar="FLOW", help="The name of a flow, or a file.")
    given.add_shared(parser)
    parser.add_argument("--flow-version", help="Version of a flow that is named. Default: the newest.")
    parser.add_argument("--scenario", metavar="FILE", help="What agents and judges answer in place of models.")
    parser.add_argument("--single-step", action="store_true", help="Wait before each further step.")
    parser.add_argument("--user", help="Username of the owner. Default: nobody; only superusers see it.")
    parser.add_argument("--team", help="Name of the team that sees the run.")
    parser.add_argument("--idempotency-key", help="Give the run that was started with this key, if there is one.")
    parser.add_argument(
        "--follow",
        action="store_true",
        help="Print transitions until the run ends; exit with 0 when it completed, 1 failed, 2 was cancelled.",
    )


def handle(command: BaseCommand, options: dict[str, Any]) -> None:
    """Exits with 64 for bad input; then nothing was started."""
    try:
        run = _started(options).run
    except (RunsError, given.BadInput) as exc:
        raise CommandError(given.in_one_line(exc), returncode=BAD_INPUT) from exc
    command.stdout.write(f"{run.id} {settings.BASE_URL}/runs/{run.id}/")
    command.stdout.flush()
    if options["follow"]:
        follow(command, run.id, line_of)


def _started(options: dict[str, Any]) -> jobs.Started:
    """Raises BadInput, RunsError."""
    folder = given.folder_of(options["folder"])
    variables, owner, team = given.vars_of(options["var"]), owner_named(options["user"]), _team(options["team"])
    scenario = given.scenario_of(options["scenario"]) if options["scenario"] else None
    flow, others = given.flow_of(options["flow"], options["flow_version"])
    return starting.start(
        flow, options["task"], folder=str(folder or ""), variables=variables, scenario=scenario, called=others,
        max_steps=options["max_steps"], single_step=options["single_step"], owner=owner, team=team,
        idempotency_key=options["idempotency_key"], actor=Actor(kind="system", id="", name="flow run"),
    )  # fmt: skip


def _team(name: str | None) -> Group | None:
    """Raises BadInput."""
    if name is None:
        return None
    team = Group.objects.filter(name=name).first()
    if team is None:
        raise given.BadInput(f"There is no team {name!r}. Create it in the admin, or leave --team out.")
    return team


def line_of(event: RunEvent) -> str:
    """One line for what a flow's run does and asks; empty for all else."""
    told = _told(event.type, event.data)
    at = localtime(event.created_at).strftime("%H:%M:%S") if event.created_at else ""
    return printable(f"{at} {told}") if told else ""


def _told(type_: str, data: dict[str, Any]) -> str:
    match type_:
        case EventType.FLOW_TRANSITION:
            return _transition(data)
        case EventType.FLOW_BLOCKED:
            return f"{data['step']} is blocked: {data['prompt']}"
        case EventType.FLOW_LIMIT:
            return f"the limit of {data['max']} iterations is reached"
        case EventType.FLOW_LOOP:
            return f"a loop is found: {data.get('step') or ' → '.join(data.get('cycle', ()))}"
        case EventType.QUESTION_ASK:
            return f"asks: {data.get('title', '')}"
        case EventType.RUN_COMPLETE | EventType.RUN_CANCEL:
            return str(type_)
        case EventType.RUN_FAIL:
            return f"{type_} {(data.get('error') or {}).get('message', '')}"
    return ""


def _transition(data: dict[str, Any]) -> str:
    place = f"{data.get('from', '')} / {data['sub']}" if data.get("sub") else str(data.get("from", ""))
    why = data.get("condition") or data.get("reason") or ""
    how = f" ({data['method']})" if data.get("method") else ""
    to = f" → {data['to']}" if data.get("to") else ""
    return f"{data.get('iteration', '')}. {place}{to}  {why}{how}".rstrip()
