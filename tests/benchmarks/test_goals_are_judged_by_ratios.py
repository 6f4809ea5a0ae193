import pytest

from benchmarks.rows import FLOOR, OURS, Row, at_least, at_most, number, percentile


def test_a_goal_beside_another_is_judged_by_the_median_of_each_repetitions_own_ratio() -> None:
    row = Row("step", "ms", {OURS: [2.0, 9.0, 30.0], FLOOR: [1.0, 3.0, 10.0]}, (at_most(2, FLOOR), at_most(3, FLOOR)))
    assert row.ratio(FLOOR) == 3
    assert [row.verdict(goal) for goal in row.goals] == ["missed", "met"]


def test_a_goal_of_its_own_is_judged_by_the_median() -> None:
    row = Row("starts", "runs/s", {OURS: [700.0, 900.0, 5000.0]}, (at_least(800), at_least(901)))
    assert [row.verdict(goal) for goal in row.goals] == ["met", "missed"]


def test_a_goal_beside_one_that_was_not_measured_is_neither_met_nor_missed() -> None:
    row = Row("starts", "runs/s", {OURS: [700.0]}, (at_least(3, "Celery"),))
    assert row.verdict(row.goals[0]) == "not measured"


def test_a_goal_says_itself() -> None:
    assert [at_most(2, FLOOR).text, at_least(800).text, at_most(1 / 5, "DBOS").text] == [
        "≤ 2 × floor",
        "≥ 800",
        "≤ 0.2 × DBOS",
    ]


@pytest.mark.parametrize(("percent", "found"), [(0, 1), (50, 50), (95, 95), (99.5, 100), (100, 100)])
def test_a_percentile_is_the_smallest_value_that_so_many_do_not_exceed(percent: float, found: float) -> None:
    assert percentile([float(value) for value in range(100, 0, -1)], percent) == found


def test_a_percentile_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        percentile([], 50)


def test_numbers_have_three_digits() -> None:
    assert [number(value) for value in (0.2666, 12.44, 99.96, 20000.4, 0)] == ["0.267", "12.4", "100", "20,000", "0"]
