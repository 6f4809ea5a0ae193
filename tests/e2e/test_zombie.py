"""A worker that is frozen past its lease and goes on later has nothing to say any more."""

import os
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.e2e import survival
from tests.e2e.sse import SseFollower, said
from tests.servers.installation import Installation


def test_a_frozen_workers_run_is_finished_once_by_another_and_the_zombie_reaches_nobody(
    install: Callable[..., Installation], tmp_path: Path
) -> None:
    server = install(PERDURE_APPS=survival.APP, PERDURE_WORKERS="2", RUNS_LEASE_SECONDS="2").start()
    file, gate = tmp_path / "calls", tmp_path / "gate"
    job = {"file": str(file), "first": 2000, "later": 150, "hold_at": 100, "gate": str(gate)}
    run_id = server.start_run("talk", job)
    follower = SseFollower(server.base_url, run_id, server.token)
    follower.start()
    zombie = survival.wait_for_calls(file, "talk").pid
    follower.wait_for_frames(10)

    os.kill(zombie, signal.SIGSTOP)
    try:
        heir = survival.wait_for_calls(file, "talk", count=2, within=60).pid
        seen = len(follower.frames)
        follower.wait_for_frames(seen + 5)
        late = SseFollower(server.base_url, run_id, server.token)
        late.start()
        late.wait_for_frames(5)
    finally:
        os.kill(zombie, signal.SIGCONT)
    gate.touch()
    follower.wait_for_end(60)
    late.wait_for_end(60)

    run = server.run(run_id)
    assert heir != zombie
    assert run["status"] == "completed"
    assert run["output"]["pids"] == [heir] * 3
    assert follower.text == late.text == run["output"]["text"]
    assert {_pid_of(frame) for frame in late.frames} == {heir}
    assert {_pid_of(frame) for frame in follower.frames if frame["attempt"] > 1} == {heir}
    first_of_heir = next(i for i, frame in enumerate(follower.frames) if _pid_of(frame) == heir)
    assert {_pid_of(frame) for frame in follower.frames[first_of_heir:]} == {heir}
    events = server.events(run_id)
    survival.assert_numbered_without_gaps(events, run["last_sequence"])
    assert follower.events == events
    types = Counter(event["type"] for event in events)
    assert (types["run:complete"], types["run:recover"], types["step:complete"]) == (1, 1, 4)
    assert Counter(call.step for call in survival.read_calls(file)) == {
        "talk": 2,
        "step-1": 1,
        "step-2": 1,
        "step-3": 1,
    }


def _pid_of(frame: dict[str, Any]) -> int:
    return int(said(frame).split("/")[0])
