from typing import Any

from django.core.management.base import BaseCommand
from django.utils.module_loading import import_string


class Command(BaseCommand):
    help = "Drive runs and background tasks on this host until SIGTERM or Ctrl-C, which hand runs back."

    def handle(self, *args: Any, **options: Any) -> None:
        # By name: commands and workers are both doors to the engine, and doors do not import each other.
        import_string("runs.worker.watchdog.keep_cluster")()
