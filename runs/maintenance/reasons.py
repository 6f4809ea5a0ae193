"""What the engine's own reasons of a run say to people."""

from typing import Final

WORDS: Final = {
    "no_worker_for_version": "No worker has its version",
    "no_worker_for_queue": "No worker serves its queue",
    "crash_loop": "Its worker died several times",
    "nondeterminism": "The code no longer fits it",
    "job_not_found": "No code of its job is there",
    "timer": "Waits for a time",
    "retry": "Waits for the next attempt of a step",
    "child": "Waits for a run that it started",
}

HELD: Final = ("crash_loop", "nondeterminism", "job_not_found")
"""The engine paused the run: it goes on when somebody has mended the cause and resumes it."""


def in_words(reason: str) -> str:
    """As a row of a list says it; what people wrote stays as it is."""
    if reason.startswith("budget "):
        return "Waits for more budget"
    if reason.startswith("signal question:"):
        return "Waits for an answer"
    return WORDS.get(reason, reason)
