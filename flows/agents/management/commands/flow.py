"""`manage.py flow ...`: check, draw, try and run agent flows."""

from argparse import ArgumentParser
from types import ModuleType
from typing import Any, Final

from django.core.management.base import BaseCommand

from flows.agents.commands import run, test

SUBCOMMANDS: Final[dict[str, ModuleType]] = {"run": run, "test": test}


class Command(BaseCommand):
    help = "Check, draw, try and run agent flows."
    requires_system_checks = ()  # they take longer than trying a flow; `manage.py check` does them

    def add_arguments(self, parser: ArgumentParser) -> None:
        subparsers = parser.add_subparsers(dest="subcommand", required=True)
        for name, module in SUBCOMMANDS.items():
            module.add_arguments(subparsers.add_parser(name, help=module.HELP, description=module.HELP))

    def handle(self, *args: Any, **options: Any) -> None:
        SUBCOMMANDS[options["subcommand"]].handle(self, options)
