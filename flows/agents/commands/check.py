"""`manage.py flow check [PATH...]`: is everything in these files an agent flow?"""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from flows.agents import files
from flows.documents import folders

HELP = "Check files of agent flows, or folders of them; without a path those of the installed apps."


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("paths", nargs="*", type=Path, metavar="PATH", help="A file, or a folder of files.")


def handle(command: BaseCommand, options: dict[str, Any]) -> None:
    """Exits with 1 where something is wrong; each line then is `file:line: step: problem. Remedy.`"""
    paths: list[Path] = options["paths"]
    beside = [*files.loaded().flows, *(flow for path in paths if path.is_file() for flow in files.flows_beside(path))]
    found = files.load_files(_files_in(paths), beside) if paths else files.loaded()
    for problem in found.problems:
        for one in problem.problems:
            command.stderr.write(one.told(problem.origin))
    if found.problems:
        raise SystemExit(1)
    names = ", ".join(f"{one.name} {one.version}" for one in found.flows)
    command.stdout.write(f"Nothing is wrong with: {names}." if found.flows else "There are no flows.")


def _files_in(paths: list[Path]) -> list[Path]:
    return [file for path in paths for file in (folders.files_in([path]) if path.is_dir() else [path])]
