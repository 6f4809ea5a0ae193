"""When a flow is found to run in circles."""

from typing import Any

from flows.agents.rules.loops import LoopDetector, Monitors
from flows.agents.spec import Judge, LoopDetection, LoopMonitor, Rule


def monitor(cycle: str, threshold: int, **more: Any) -> LoopMonitor:
    judge = Judge(rules=(Rule(condition="goes on", next=cycle[0]),))
    return LoopMonitor(cycle=tuple(cycle), threshold=threshold, judge=judge, **more)


def judged(monitors: Monitors, path: str) -> list[int]:
    """The places in the path after whose step a judge is asked, when each goes on to the one after it."""
    return [place for place, step in enumerate(path[:-1]) if monitors.completed(step, path[place + 1])]


def test_the_eleventh_run_of_a_step_in_a_row_is_a_loop_and_so_is_each_after_it() -> None:
    detector = LoopDetector(LoopDetection())
    found = [detector.about_to_run("fix") for _ in range(12)]
    assert found[:10] == [None] * 10
    assert [loop.count for loop in found[10:] if loop] == [11, 12]
    assert found[10] is not None
    assert found[10].message == 'Loop detected: step "fix" ran 11 times consecutively without progress.'


def test_another_step_in_between_starts_the_count_anew() -> None:
    detector = LoopDetector(LoopDetection(max_consecutive_same_step=1, action="abort"))
    assert [bool(detector.about_to_run(step)) for step in "abaab"] == [False, False, False, True, False]


def test_a_loop_to_be_ignored_is_none() -> None:
    detector = LoopDetector(LoopDetection(max_consecutive_same_step=1, action="ignore"))
    assert not any(detector.about_to_run("fix") for _ in range(5))


def test_a_cycle_is_judged_when_it_would_begin_again_after_its_threshold() -> None:
    assert judged(Monitors([monitor("rf", 2)]), "prfrfr") == [4]


def test_a_cycle_that_is_left_is_not_judged() -> None:
    assert judged(Monitors([monitor("rf", 2)]), "rfrfs") == []
    assert judged(Monitors([monitor("rf", 2)]), "rfsrfr") == []


def test_ignored_steps_do_not_break_a_cycle() -> None:
    assert judged(Monitors([monitor("rf", 2, ignore_steps=("n",))]), "rfnrnfnr") == [6]


def test_after_a_judge_was_asked_the_count_starts_anew_for_all() -> None:
    monitors = Monitors([monitor("rf", 1), monitor("rf", 2)])
    assert judged(monitors, "rfrfrf") == [1, 3]
