"""What is removed, when, and what stays."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from runs import jobs
from runs.engine.store import pruning
from runs.errors import HistoryPruned, InvalidOption, JobNotFound
from runs.events.log import read_events
from runs.maintenance.retention import parse_age, prune
from runs.maintenance.sweeper import sweep
from runs.models import Audit, Event, Run, RunStatus, State, Step
from runs.testing import advance, drain, temporary_jobs

pytestmark = pytest.mark.django_db(transaction=True)
DAY = timedelta(days=1)
Ended = Callable[..., Run]


def outputs(run: Run) -> list[Any]:
    return list(Step.objects.filter(run=run, kind="run").order_by("id").values_list("output", flat=True))


def test_a_history_goes_after_a_day_and_the_result_stays(ended: Ended) -> None:
    run = ended(timedelta(hours=23), wait=False)
    assert prune().jobs == ()
    advance(timedelta(hours=2))
    pruned = prune()
    assert (pruned.runs, pruned.trimmed, pruned.events) == (0, 1, run.last_sequence)
    run.refresh_from_db()
    assert (run.status, run.output, run.first_sequence) == ("completed", "done", run.last_sequence + 1)
    assert read_events(run.id) == []
    assert outputs(run) == [None, None]
    assert not State.objects.filter(run=run).exists()
    assert prune().jobs == ()


def test_a_failed_run_keeps_what_its_steps_recorded(ended: Ended) -> None:
    run = ended(2 * DAY, fail=True)
    assert prune().trimmed == 1
    run.refresh_from_db()
    assert (run.status, run.error["message"]) == ("failed", "no luck")
    assert read_events(run.id) == []
    assert outputs(run) == ["one", "two"]
    assert State.objects.get(run=run).value == {"stage": 2}


def test_a_cancelled_run_loses_its_payloads(work: jobs.Job) -> None:
    run = jobs.start(work, {"wait": True}).run
    drain()
    jobs.signal(run.id, "other", {"secret": 1})
    jobs.cancel(run.id)
    advance(2 * DAY)
    assert prune().trimmed == 1
    assert outputs(run) == [None, None]
    assert [signal.payload for signal in run.signals.all()] == [None]


def test_a_run_goes_after_thirty_days_and_the_record_of_who_did_what_stays(ended: Ended) -> None:
    run = ended(29 * DAY)
    prune()
    assert Run.objects.filter(id=run.id).exists()
    advance(2 * DAY)
    assert prune().runs == 1
    assert not Run.objects.filter(id=run.id).exists()
    first, second = Audit.objects.filter(action="runs.prune").order_by("id")
    assert (first.data["runs"], first.data["trimmed"]) == (0, 1)
    assert (second.data["runs"], second.data["jobs"][0]["job"]) == (1, "work")
    advance(60 * DAY)
    prune()
    assert Audit.objects.filter(action="runs.prune").count() == 2, "nothing was removed, so there is nothing to tell"


def test_a_dry_run_counts_what_is_removed_afterwards_and_changes_nothing(ended: Ended) -> None:
    ended()
    ended(30 * DAY, fail=True)
    ended(2 * DAY)
    ended()
    shown = prune(dry_run=True)
    assert (shown.runs, shown.trimmed, shown.dry_run) == (2, 1, True)
    assert (Run.objects.count(), Audit.objects.filter(action="runs.prune").count()) == (4, 0)
    assert prune().jobs == shown.jobs


def test_runs_that_have_not_ended_are_never_touched(work: jobs.Job) -> None:
    waiting = jobs.start(work, {"wait": True}).run
    drain()
    jobs.start(work, {})
    advance(1000 * DAY)
    assert prune(older_than=timedelta()).jobs == ()
    jobs.signal(waiting.id, "go")
    drain()
    waiting.refresh_from_db()
    assert waiting.output == "done"


def test_older_than_deletes_whole_runs_and_nothing_else(ended: Ended) -> None:
    old = ended(4 * DAY)
    young = ended(2 * DAY)
    pruned = prune(older_than=3 * DAY)
    assert (pruned.runs, pruned.trimmed, pruned.events) == (1, 0, old.last_sequence)
    assert list(Run.objects.all()) == [young]
    assert read_events(young.id)


def test_one_job_is_cleaned_up_alone(ended: Ended) -> None:
    @jobs.job("other")
    async def other(step: jobs.StepContext) -> None:
        pass

    jobs.start(other)
    ended(40 * DAY)
    assert [row.job for row in prune(job="other").jobs] == ["other"]
    assert [run.job for run in Run.objects.all()] == ["work"]
    with pytest.raises(JobNotFound):
        prune(job="nothing of that name")
    with temporary_jobs():
        jobs.registry._jobs.clear()
        assert prune(job="work").runs == 1, "runs of a job that is gone can be cleaned up"


def test_a_job_has_its_own_retention() -> None:
    @jobs.job("brief", retention=jobs.Retention(events=timedelta(minutes=1), run=timedelta(hours=1)))
    async def brief(step: jobs.StepContext) -> int:
        return await step.run("one", lambda: 1)

    @jobs.job("long", retention=jobs.Retention(events=100 * DAY, run=200 * DAY))
    async def long(step: jobs.StepContext) -> int:
        return await step.run("one", lambda: 1)

    first, second = jobs.start(brief).run, jobs.start(long).run
    drain()
    advance(timedelta(minutes=2))
    assert [(row.job, row.runs, row.trimmed) for row in prune().jobs] == [("brief", 0, 1)]
    advance(timedelta(hours=1))
    assert [(row.job, row.runs, row.trimmed) for row in prune().jobs] == [("brief", 1, 0)]
    advance(99 * DAY)
    assert prune().jobs == ()
    assert (Run.objects.filter(id=first.id).count(), len(read_events(second.id))) == (0, second_length(second))
    with pytest.raises(InvalidOption):
        jobs.Retention(run=-DAY)


def second_length(run: Run) -> int:
    run.refresh_from_db()
    return run.last_sequence


def test_completed_runs_of_a_job_that_keeps_none_go_within_seconds() -> None:
    @jobs.job("fleeting", retention=jobs.Retention(delete_on_completion=True))
    async def fleeting(step: jobs.StepContext, order: dict[str, Any]) -> None:
        if order:
            raise ValueError("no luck")

    @jobs.job("lasting")
    async def lasting(step: jobs.StepContext) -> None:
        pass

    done, failed, other = jobs.start(fleeting, {}).run, jobs.start(fleeting, {"fail": 1}).run, jobs.start(lasting).run
    drain()
    sweep()
    assert Run.objects.count() == 3, "followers still receive its end"
    advance(timedelta(seconds=11))
    sweep()
    assert set(Run.objects.values_list("id", flat=True)) == {failed.id, other.id}
    assert Audit.objects.get(action="runs.prune").data["jobs"][0]["job"] == "fleeting"
    assert not Run.objects.filter(id=done.id).exists()


def test_by_a_setting_no_job_keeps_its_completed_runs_but_those_that_say_so(settings: Any) -> None:
    @jobs.job("kept", retention=jobs.Retention(delete_on_completion=False))
    async def kept(step: jobs.StepContext) -> None:
        pass

    @jobs.job("usual")
    async def usual(step: jobs.StepContext) -> None:
        pass

    jobs.start(kept), jobs.start(usual)
    drain()
    advance(timedelta(seconds=11))
    settings.RUNS_DELETE_ON_COMPLETION = True
    assert [(row.job, row.runs) for row in prune(dry_run=True).jobs] == [("usual", 1)]
    sweep()
    assert [run.job for run in Run.objects.all()] == ["kept"]


def test_a_long_history_goes_in_slices_and_each_leaves_the_log_whole(
    ended: Ended, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning, "EVENTS_AT_ONCE", 3)
    run = ended(2 * DAY)
    length = run.last_sequence
    seen = []
    remove = pruning.remove_histories

    def look(*args: Any) -> Any:
        tally = remove(*args)
        run.refresh_from_db()
        held = [event.sequence for event in read_events(run.id)]
        assert held == list(range(run.first_sequence, length + 1))
        seen.append(len(held))
        return tally

    monkeypatch.setattr(pruning, "remove_histories", look)
    pruned = prune()
    assert (pruned.trimmed, pruned.events) == (1, length)
    assert seen[:2] == [length - 3, length - 6]
    assert seen[-1] == 0


def test_a_long_run_is_deleted_in_slices(ended: Ended, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "EVENTS_AT_ONCE", 3)
    run = ended(31 * DAY)
    pruned = prune(batch=1)
    assert (pruned.runs, pruned.trimmed, pruned.events) == (1, 0, run.last_sequence)
    assert not Event.objects.exists()


def test_many_runs_go_in_batches(ended: Ended, work: jobs.Job) -> None:
    for _ in range(5):
        jobs.start(work, {})
    ended(2 * DAY)
    assert prune(batch=2).trimmed == 6
    advance(30 * DAY)
    assert prune(batch=4).runs == 6


def test_it_stops_when_its_time_is_over_and_says_so(ended: Ended) -> None:
    ended(40 * DAY)
    pruned = prune(seconds=0)
    assert (pruned.complete, pruned.runs) == (False, 0)
    assert prune(seconds=10).complete


def test_a_pruned_run_refuses_retry_and_fork_and_can_be_started_again(ended: Ended) -> None:
    run = ended(2 * DAY, fail=True)
    prune()
    with pytest.raises(HistoryPruned):
        jobs.retry(run.id)
    with pytest.raises(HistoryPruned):
        jobs.fork(run.id, "second")
    again = jobs.retrigger(run.id).run
    drain()
    again.refresh_from_db()
    assert again.status == RunStatus.FAILED


def test_the_command_prints_what_it_removes(ended: Ended, capsys: pytest.CaptureFixture[str]) -> None:
    run = ended(2 * DAY)
    call_command("prune", "--dry-run", "--older-than", "1d", "--job", "work")
    assert f"Would remove 1 runs, the histories of 0 more, and {run.last_sequence} events." in capsys.readouterr().out
    call_command("prune")
    assert f"work: 0 runs, 1 histories, {run.last_sequence} events" in capsys.readouterr().out
    for arguments in (["--older-than=soon"], ["--older-than=-3d"], ["--job", "missing"]):
        with pytest.raises(CommandError) as refused:
            call_command("prune", *arguments)
        assert refused.value.returncode == 64


def test_an_age_beyond_the_calendar_removes_nothing(ended: Ended) -> None:
    ended(DAY)
    assert parse_age("90s") == timedelta(seconds=90)
    assert prune(older_than=parse_age("999999w")).jobs == ()
