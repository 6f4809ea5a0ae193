from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.module_loading import import_string


class Command(BaseCommand):
    help = "Drive runs and background tasks on this host until SIGTERM or Ctrl-C, which hand runs back."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--queues", help="Take runs of these queues only, separated by commas; else PERDURE_QUEUES."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        # By name: commands and workers are both doors to the engine, and doors do not import each other.
        import_string("runs.worker.watchdog.keep_cluster")(_names(options["queues"]))


def _names(given: str | None) -> tuple[str, ...]:
    names = tuple(name.strip() for name in (given or "").split(",") if name.strip())
    if given is not None and not names:
        raise CommandError("--queues names no queue. Give one or more, as in --queues default,mail, or leave it out.")
    return names
