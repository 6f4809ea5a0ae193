"""What a process with Perdure's settings does for the benchmarks; `Perdure.ask` calls these by name."""

from collections.abc import Callable
from typing import Any

from benchmarks.calls import latencies, lists, queued, replays, signals, starts, steps, tables, takeovers

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "lone": steps.lone,
    "crowd": steps.crowd,
    "starts": starts.starts,
    "start_many": starts.start_many,
    "latencies": latencies.latencies,
    "signal_loaded": signals.signal_loaded,
    "signal_unloaded": signals.signal_unloaded,
    "prepare_replay": replays.prepare,
    "replay": replays.replay,
    "fill": tables.fill,
    "fill_list": lists.fill_list,
    "sign_in": lists.sign_in,
    "kill_worker": takeovers.kill_worker,
    "queue": queued.queue,
    "release": queued.release,
    "finish": queued.finish,
}
