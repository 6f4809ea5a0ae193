"""`manage.py flow ...`: check, draw, try and run agent flows."""

from argparse import ArgumentParser
from types import ModuleType
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, ProgrammingError

from flows.agents.commands import check, graph, run, test
from runs.errors import RunsError

BAD_INPUT: Final = 2
SUBCOMMANDS: Final[dict[str, ModuleType]] = {"check": check, "graph": graph, "run": run, "test": test}


class Command(BaseCommand):
    help = "Check, draw, try and run agent flows."
    requires_system_checks = ()  # they take longer than trying a flow; `manage.py check` does them

    def add_arguments(self, parser: ArgumentParser) -> None:
        subparsers = parser.add_subparsers(dest="subcommand", required=True)
        for name, module in SUBCOMMANDS.items():
            module.add_arguments(subparsers.add_parser(name, help=module.HELP, description=module.HELP))

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            SUBCOMMANDS[options["subcommand"]].handle(self, options)
        except RunsError as exc:
            raise CommandError(str(exc), returncode=BAD_INPUT) from exc
        except (OperationalError, ProgrammingError) as exc:
            message = f"The database cannot be asked: {exc}. Create it with `manage.py migrate`, and try again."
            raise CommandError(message, returncode=BAD_INPUT) from exc
