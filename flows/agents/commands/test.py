"""`manage.py flow test FLOW SCENARIO --task TEXT`: try a flow without a model, and leave nothing behind."""

import json
import os
import shutil
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.test.utils import override_settings

from flows.agents.commands import given
from flows.agents.rehearsal import database
from flows.agents.rehearsal.answering import UnfitAnswer
from flows.agents.rehearsal.rehearse import Rehearsed, rehearse
from runs.errors import RunsError
from runs.management.following import printable

HELP = "Run a flow with the answers of a scenario, in a database that is thrown away."
ABORTED, BAD_INPUT = 1, 2
CACHE = "PERDURE_FLOW_TEST_CACHE"
"""Set where the settings of this process are those of a throw-away installation; see `perdure.throwaway`."""


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("flow", metavar="FLOW", help="A flow's file, or the name of a flow.")
    parser.add_argument("scenario", metavar="SCENARIO", help="A JSON file: the array of what agents and judges answer.")
    given.add_shared(parser)
    parser.add_argument(
        "--answer", action="append", default=[], metavar="TEXT",
        help="What people answer, in the order of the questions; one without is withdrawn.",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="Print one JSON object.")


def handle(command: BaseCommand, options: dict[str, Any]) -> None:
    """Exits with 0 when the flow completed, 1 when it was aborted, 2 when the input is bad."""
    if CACHE not in os.environ:
        raise SystemExit(_in_another_process(options))
    try:
        rehearsed = _rehearsed(options)
    except (RunsError, UnfitAnswer, given.BadInput) as exc:
        raise CommandError(given.in_one_line(exc), returncode=BAD_INPUT) from exc
    command.stdout.write(json.dumps(rehearsed.told) if options["json"] else table_of(rehearsed))
    if rehearsed.status != "completed":
        command.stderr.write(given.in_one_line(rehearsed.message))
        raise SystemExit(ABORTED)


def table_of(rehearsed: Rehearsed) -> str:
    """For people: a line for each iteration, and how it ended."""
    lines = [f"{number:>4}  {step}" for number, step in enumerate(rehearsed.path, start=1)]
    lines += ["", *(f"      {one['step']}: {one['condition']} ({one['method']})" for one in rehearsed.matched)]
    end = f"{rehearsed.status} after {rehearsed.iterations} iterations"
    lines += ["", f"{end}: {rehearsed.reason}" if rehearsed.reason else end]
    return "\n".join(printable(line) for line in lines)


def _rehearsed(options: dict[str, Any]) -> Rehearsed:
    """Raises BadInput, UnfitAnswer, RunsError."""
    wanted = {"scenario": given.scenario_of(options["scenario"]), "variables": given.vars_of(options["var"]),
              "max_steps": options["max_steps"]}  # fmt: skip
    folder = given.folder_of(options["folder"])
    database.make(Path(os.environ[CACHE]))
    flow, others = given.flow_of(options["flow"])
    copy = str(_copied(folder)) if folder is not None else ""
    with override_settings(LLM_TOOL_FOLDERS=(*settings.LLM_TOOL_FOLDERS, *([copy] if copy else []))):
        return rehearse(flow, options["task"], answers=options["answer"], others=others, folder=copy, **wanted)


def _copied(folder: Path) -> Path:
    """Agents change the copy: what is tried is not done."""
    copy = Path(settings.DATA_DIR) / "folder" / folder.name
    shutil.copytree(folder, copy, symlinks=True)
    return copy


def _in_another_process(options: dict[str, Any]) -> int:
    """For a caller whose settings name a database that is in use; its exit code."""
    program = Path(settings.BASE_DIR) / "manage.py"
    values = [(f"--{name.replace('_', '-')}", options[name]) for name in ("folder", "max_steps") if options[name]]
    values += [(f"--{name}", one) for name in ("var", "answer") for one in options[name]]
    arguments = [options["flow"], options["scenario"], f"--task={options['task']}"]
    arguments += [f"{name}={value}" for name, value in values] + (["--json"] if options["json"] else [])
    return subprocess.run([sys.executable, str(program), "flow", "test", *arguments], check=False).returncode
