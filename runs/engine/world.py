"""What an execution needs of its process."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from runs.engine.ports import FrameSink
from runs.engine.writer import Writer


@dataclass
class World:
    """What an execution needs of its process. `leak(message)` reports what would not end, and drains the process."""

    writer: Writer
    frames: FrameSink
    job_threads: ThreadPoolExecutor
    step_threads: ThreadPoolExecutor
    leak: Callable[[str], None]
    unload_after: float | None = None  # seconds; None: as RUNS_UNLOAD_AFTER says
    holds_lease: Callable[[], bool] = lambda: True  # False while others may have this process's runs
    reads: ThreadPoolExecutor | None = None  # threads that keep their connections; None: step_threads
