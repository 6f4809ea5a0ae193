"""System checks: what the settings allow tools to reach, and cannot be reached or should not be."""

import os
import shlex
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, register

from flows.llm.tools.conf import get_settings
from flows.llm.tools.local.commands import find_program
from flows.llm.tools.local.hosts import Host


@register()
def check_tools(**_: Any) -> list[CheckMessage]:
    """LLM_TOOL_COMMANDS, LLM_TOOL_FOLDERS and LLM_TOOL_HOSTS (llm.E020 to W024)."""
    allowed = get_settings()
    return [
        *(message for one in allowed.commands for message in _command(one)),
        *(message for one in allowed.folders for message in _folder(one)),
        *(message for one in allowed.hosts for message in _host(one)),
    ]


def _command(text: str) -> Iterator[CheckMessage]:
    try:
        words = shlex.split(text)
    except ValueError:
        words = []
    if not words:
        yield Error(
            f"The allowed command {text!r} has no words.",
            hint="Write a program, or a program and its first arguments, as in LLM_TOOL_COMMANDS=['git log'].",
            id="llm.E020",
        )
    elif find_program(words[0]) is None:
        yield checks.Warning(
            f"There is no program {words[0]!r} on this machine, which tools are allowed to run.",
            hint="Give its absolute path, or install it where workers run.",
            id="llm.W021",
        )


def _folder(text: str) -> Iterator[CheckMessage]:
    path = os.path.realpath(os.path.expanduser(text))
    if not os.path.isabs(os.path.expanduser(text)) or not os.path.isdir(path):
        yield Error(
            f"The allowed folder {text!r} is not the absolute path of a folder that is there.",
            hint="Write it as in LLM_TOOL_FOLDERS=['/srv/documents'].",
            id="llm.E022",
        )
    elif os.path.commonpath([path, os.path.realpath(settings.DATA_DIR)]) in (path, os.path.realpath(settings.DATA_DIR)):
        yield checks.Warning(
            f"The allowed folder {text!r} shares files with the data directory, where keys and passwords are.",
            hint="Allow a folder of its own.",
            id="llm.W023",
        )


def _host(text: str) -> Iterator[CheckMessage]:
    try:
        Host.parse(text)
    except ValueError:
        yield Error(
            f"The allowed host {text!r} is no host.",
            hint="Write a name, a name and a port, or *.name for all under it, as in LLM_TOOL_HOSTS=['*.example.org'].",
            id="llm.E024",
        )
