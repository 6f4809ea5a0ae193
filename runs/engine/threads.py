"""Calls in threads, and a watch on those that do not come back."""

import asyncio
import concurrent.futures
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from asgiref.sync import SyncToAsync, ThreadSensitiveContext
from django.db import close_old_connections, connections

from runs.conf import get_settings


def call_in(pool: ThreadPoolExecutor, function: Callable[..., Any], *args: Any) -> "asyncio.Future[Any]":
    """Call `function` in a thread of `pool`; its database connections are given back afterwards."""
    return asyncio.wrap_future(pool.submit(_call, function, args))


def _call(function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    try:
        return function(*args)
    except (StopIteration, GeneratorExit, SystemExit, KeyboardInterrupt) as exc:
        # the first two mean something else to the coroutine that awaits, the others would end the loop
        raise RuntimeError(f"a function in a thread raised {type(exc).__name__}") from exc
    finally:
        close_old_connections()


def give_back_connections(context: ThreadSensitiveContext) -> None:
    """Close the connections of the thread that a run's async code queries in, if it has queried."""
    executor = SyncToAsync.context_to_thread_executor.get(context)
    if executor is not None:
        executor.submit(connections.close_all)


def watch_thread(
    loop: asyncio.AbstractEventLoop,
    future: "concurrent.futures.Future[Any]",
    what: str,
    leak: Callable[[str], None],
) -> None:
    """Report a call that ignores its abort flag for `sync_abort_grace_seconds`: a thread cannot be killed."""
    grace = get_settings().sync_abort_grace_seconds

    def report() -> None:
        if not future.done():
            leak(f"{what} ignores current_attempt().cancelled for {grace:g} s.")

    if not future.done():
        loop.call_later(grace, report)
