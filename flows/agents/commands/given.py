"""Arguments that `flow test` and `flow run` share, read with a clear word about what does not fit."""

from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from flows.agents import catalogue, files
from flows.agents.beside import called_beside
from flows.agents.spec import Flow
from providers.scripted.entries import InvalidScenario, read_file

_SUFFIXES: Final = (".yaml", ".yml", ".json")


class BadInput(Exception):
    """Arguments that do not fit; says which, and what would."""


def add_shared(parser: ArgumentParser) -> None:
    parser.add_argument("--task", required=True, help="What is to be done.")
    parser.add_argument("--folder", help="Where agents work on files.")
    parser.add_argument("--var", action="append", default=[], metavar="NAME=TEXT", help="What {var:NAME} stands for.")
    parser.add_argument("--max-steps", type=int, metavar="N", help="Tightens the flow's own limit.")


def in_one_line(problem: object) -> str:
    return " ".join(str(problem).split())


def flow_of(given: str, version: str | None = None) -> tuple[Flow, dict[str, Flow]]:
    """A file's flow with those beside it that it calls, or the flow of that name. Raises InvalidFlow, FlowNotFound."""
    path = Path(given)
    if path.suffix not in _SUFFIXES and not path.exists():
        return catalogue.find(given, version), {}
    flow = files.load_file(path)
    return flow, called_beside(path, flow)


def scenario_of(given: str) -> list[dict[str, Any]]:
    """Raises BadInput."""
    try:
        return [entry.model_dump(mode="json", exclude_unset=True) for entry in read_file(Path(given))]
    except InvalidScenario as exc:
        raise BadInput(f"{given}: {exc}") from exc


def vars_of(given: Iterable[str]) -> dict[str, str]:
    """Raises BadInput."""
    pairs = [one.partition("=") for one in given]
    for name, equals, _ in pairs:
        if not (name and equals):
            raise BadInput(f"--var {name} has no value. Write it as --var NAME=TEXT.")
    return {name: text for name, _, text in pairs}


def folder_of(given: str | None) -> Path | None:
    """Raises BadInput."""
    if given is None:
        return None
    path = Path(given).expanduser().resolve()
    if not path.is_dir():
        raise BadInput(f"--folder {given} is no folder. Name one that is there.")
    return path
