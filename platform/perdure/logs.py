"""Logging: one readable line per entry, the same in every process."""

import logging
from typing import Any

from django.core.exceptions import RequestAborted


class NotAborted(logging.Filter):
    """Drops what asyncio says of a request whose client left: Django raises that into a task that nobody awaits."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not (record.exc_info and isinstance(record.exc_info[1], RequestAborted))


def configure_logging(level: str) -> dict[str, Any]:
    """Django's LOGGING for lines on standard error."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {"format": "%(asctime)s %(levelname)-7s %(message)s [%(name)s]", "datefmt": "%H:%M:%S"},
        },
        "filters": {"not_aborted": {"()": NotAborted}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["not_aborted"]}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # django-q adds a handler of its own unless it finds one. The worker says the same in fewer lines.
            "django-q": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
            "daphne": {"level": "WARNING"},
            "django.channels.server": {"level": "WARNING"},
            # A line for each request to a vendor; below INFO the vendors' clients write down what is asked.
            **{name: {"level": "WARNING"} for name in ("httpx", "httpx2", "openai", "anthropic")},
            # A refused request is the caller's mistake; only our own failures belong into the log.
            "django.request": {"level": "ERROR"},
        },
    }
