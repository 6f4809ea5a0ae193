"""Logging: one readable line per entry, the same in every process."""

from typing import Any

import structlog

_STAMPED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False),
]


def configure_logging(level: str) -> dict[str, Any]:
    """Django's LOGGING for lines on standard error; structlog's own loggers end in the same place."""
    structlog.configure(
        processors=[*_STAMPED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": [*_STAMPED, structlog.stdlib.ExtraAdder()],
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0, pad_level=False),
                ],
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # django-q adds a handler of its own unless it finds one.
            "django-q": {"handlers": ["stderr"], "level": level, "propagate": False},
            "daphne": {"level": "WARNING"},
            "django.channels.server": {"level": "WARNING"},
            # A refused request is the caller's mistake; only our own failures belong into the log.
            "django.request": {"level": "ERROR"},
        },
    }
