"""`manage.py flow graph NAME|PATH`: the graph of a flow as text."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from flows.agents import drawing
from flows.agents.commands import given
from flows.agents.graph import graph_of

HELP = "Print the graph of an agent flow: for Mermaid, for Graphviz, or as JSON."


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("flow", metavar="NAME|PATH", help="Name of a flow, or a file of one.")
    parser.add_argument("--format", choices=sorted(drawing.FORMATS), default="mermaid", help="Default: mermaid.")
    parser.add_argument("--flow-version", metavar="VERSION", help="Version of a named flow. Default: the newest.")


def handle(command: BaseCommand, options: dict[str, Any]) -> None:
    made, _ = given.flow_of(options["flow"], options["flow_version"])
    command.stdout.write(drawing.FORMATS[options["format"]](graph_of(made)), ending="")
