"""What a socket does not take at once of a step's write is sent from the loop as it takes it."""

import asyncio
import os
import socket
from collections.abc import Callable
from typing import Any

import pytest

from runs.engine.alone import LARGEST, Alone
from runs.engine.batches import Batch, weight
from runs.engine.store import lone
from runs.engine.store.transitions import Result
from runs.engine.writer import Writer
from runs.models import Step
from tests.engine.test_step_alone import claimed, of, plain
from tests.engine.test_step_from_the_loop import beside_the_loop, sent, terminate, write  # noqa: F401
from tests.engine.test_writer import handle_of, writer  # noqa: F401


def cut_in_between(push: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """`push`, whose connection is cut once while a part is out."""
    cut: list[Any] = []

    def push_and_cut(link: Any) -> bool:
        is_out = push(link)
        if not is_out and not cut:
            cut.append(link)
            beside_the_loop(terminate, link)
        return is_out

    return push_and_cut


@pytest.mark.parametrize("is_cut", [False, True])
def test_a_write_that_the_socket_takes_in_parts_goes_out_whole(
    writer: Writer, sent: list[Batch], monkeypatch: pytest.MonkeyPatch, on_postgresql: bool, is_cut: bool  # noqa: F811
) -> None:  # fmt: skip
    [run] = claimed(1)
    handle, lend = handle_of(run), Alone.lend

    def tighten(self: Alone, link: Any) -> None:
        if link is not None:
            with socket.socket(fileno=os.dup(link.pgconn.socket)) as own:
                own.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
        lend(self, link)

    monkeypatch.setattr(Alone, "lend", tighten)
    if is_cut:
        monkeypatch.setattr(lone, "push", cut_in_between(lone.push))
    [made] = of(run, plain("c")).transitions
    large = made._replace(steps=(made.steps[0]._replace(output=f'"{"😀" * 7_500}"'),))
    assert weight(large) < LARGEST

    async def work() -> Any:
        await write(writer, run, handle, "a", "b")
        while not writer._is_parked:
            await asyncio.sleep(0.001)
        return await asyncio.wait_for(writer.submit(handle, large), 20)

    assert asyncio.run(work()) is Result.DONE
    assert len(sent) == (2 if on_postgresql else 0)
    assert Step.objects.get(run_id=run.id, name="c").output == "😀" * 7_500
