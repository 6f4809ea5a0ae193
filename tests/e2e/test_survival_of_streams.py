"""A streamed step that is retried: readers get the word that what they saw is discarded, then the second attempt."""

from collections.abc import Callable
from pathlib import Path

from tests.e2e import survival
from tests.e2e.sse import SseFollower
from tests.servers.installation import Installation


def test_a_retried_stream_is_reset_and_only_the_second_attempt_is_read(
    install: Callable[..., Installation], tmp_path: Path
) -> None:
    server = install(PERDURE_APPS=survival.APP).start()
    gate = tmp_path / "gate"
    job = {"file": str(tmp_path / "calls"), "first": 40, "hold_at": 0, "gate": str(gate)}
    run_id = server.start_run("talk-twice", job)
    follower = SseFollower(server.base_url, run_id, server.token)
    follower.start()
    survival.wait_for(lambda: "step:start" in follower.types, 60, "follower")

    gate.touch()
    follower.wait_for_end(60)

    run = server.run(run_id)
    assert run["status"] == "completed"
    assert follower.text == run["output"]
    assert "attempt-1" not in follower.text
    attempts = [frame["attempt"] for frame in follower.frames]
    assert set(attempts) == {1, 2}
    assert attempts == sorted(attempts)
    assert follower.resets >= 2
    assert follower.sequences == list(range(1, run["last_sequence"] + 1))


def test_a_late_reader_gets_the_whole_stream_of_the_current_attempt(
    install: Callable[..., Installation], tmp_path: Path
) -> None:
    server = install(PERDURE_APPS=survival.APP).start()
    gate = tmp_path / "gate"
    job = {"file": str(tmp_path / "calls"), "first": 150, "hold_at": 120, "gate": str(gate)}
    run_id = server.start_run("talk", job)
    early = SseFollower(server.base_url, run_id, server.token)
    early.start()
    followers = [early]
    for frames in (30, 60, 90):
        early.wait_for_frames(frames)
        followers.append(SseFollower(server.base_url, run_id, server.token))
        followers[-1].start()

    for follower in followers:
        follower.wait_for_frames(100)
    gate.touch()
    for follower in followers:
        follower.wait_for_end(60)

    text = server.run(run_id)["output"]["text"]
    assert [follower.text == text for follower in followers] == [True] * 4


def test_a_stream_that_a_crash_cut_off_is_read_from_its_second_attempt_alone(
    install: Callable[..., Installation], tmp_path: Path
) -> None:
    server = install(PERDURE_APPS=survival.APP).start()
    run_id = server.start_run("talk", {"file": str(tmp_path / "calls")})
    follower = SseFollower(server.base_url, run_id, server.token)
    follower.start()
    follower.wait_for_frames(10)

    survival.kill(survival.wait_for_calls(tmp_path / "calls", "talk").pid)
    follower.wait_for_end(60)

    run = server.run(run_id)
    assert run["status"] == "completed"
    assert follower.text == run["output"]["text"]
    assert [frame["attempt"] for frame in follower.frames][-20:] == [2] * 20
