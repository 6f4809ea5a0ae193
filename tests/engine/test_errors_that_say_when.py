"""An error may say when its step is to be tried again, or that it is not."""

import math
from typing import Any

import pytest

from runs import jobs
from runs.jobs import Retry, StepContext, current_attempt, job
from runs.models import Attempt, RunStatus
from runs.testing import drain
from tests.engine.driver import begin, events

SOON = Retry(max_attempts=3, initial=0.01, factor=1, jitter=0)


class Vendor(Exception):
    def __init__(self, **said: Any) -> None:
        super().__init__("busy")
        self.__dict__.update(said)


class Broken(Exception):
    @property
    def retry_after(self) -> float:
        raise RuntimeError("who knows")

    is_retryable = retry_after


def test_the_next_attempt_waits_as_long_as_the_error_says() -> None:
    @job("asked-to-wait", retries=SOON)
    async def asked_to_wait(step: StepContext) -> int:
        async def call() -> int:
            if current_attempt().number == 1:
                raise Vendor(retry_after=1800)
            return current_attempt().number

        return await step.run("call", call)

    run = begin(asked_to_wait)
    drain()
    assert jobs.get(run.id).status == RunStatus.WAITING
    assert [event.data["delay_seconds"] for event in events(run) if event.type == "step:retry"] == [1800]


@pytest.mark.parametrize(
    ("wish", "seconds"),
    [(None, 0.01), (0.001, 0.01), (7, 7), (99_999, 3600), (math.inf, 3600), (-5, 0.01), (math.nan, 0.01), ("9", 0.01),
     (True, 0.01)],
)  # fmt: skip
def test_the_longer_of_both_delays_counts_and_a_wish_no_more_than_an_hour(wish: Any, seconds: float) -> None:
    assert SOON.delay_seconds(1, Vendor(retry_after=wish)) == seconds


def test_a_policy_may_wait_longer_than_a_wish() -> None:
    assert Retry(max_attempts=2, initial=9999, maximum=9999, jitter=0).delay_seconds(1, Vendor(retry_after=5)) == 9999


def test_an_error_that_cannot_be_asked_is_retried_as_any_other() -> None:
    assert SOON.allows(1, Broken())
    assert SOON.delay_seconds(1, Broken()) == 0.01


@pytest.mark.parametrize(("said", "attempts"), [({"is_retryable": False}, 1), ({"is_retryable": None}, 3), ({}, 3)])
def test_an_error_that_is_not_retryable_ends_the_attempts(said: dict[str, Any], attempts: int) -> None:
    @job("refused", retries=SOON)
    async def refused(step: StepContext) -> None:
        async def call() -> None:
            raise Vendor(**said)

        await step.run("call", call)

    run = begin(refused)
    drain()
    assert jobs.get(run.id).status == RunStatus.FAILED
    assert Attempt.objects.count() == attempts
