"""Moving a run to another version of its job: its history is replayed against that version first."""

from uuid import UUID

from runs.definitions import registry
from runs.engine.claim import unheld
from runs.engine.rehearsal import Fit, rehearse
from runs.engine.store import versions
from runs.engine.store.rows import Actor, get
from runs.errors import HistoryPruned, InvalidOption, VersionUnfit
from runs.models import Run, RunStatus


def move(run_id: UUID | str, version: str, actor: Actor) -> Run:
    """The replay holds no lock: it runs the job's own code. What changed meanwhile is found by the run's row.

    Raises RunNotFound, JobNotFound, InvalidOption (it has that version), RunAlreadyEnded, RunNotMovable,
    HistoryPruned, VersionUnfit.
    """
    run = get(run_id)
    if version == run.job_version:
        raise InvalidOption("version", "is the one that the run has", "Name another one.")
    job = registry.get(run.job, version)
    versions.check_movable(run, _is_held(run))
    _check_history(run, version)
    return versions.move(run, job, actor)


def _is_held(run: Run) -> bool:
    return run.status == RunStatus.RUNNING and not Run.objects.filter(unheld(), id=run.id).exists()


def _check_history(run: Run, version: str) -> None:
    came = rehearse(run, version)
    if came.fit is Fit.PRUNED:
        raise HistoryPruned(run.id, run.first_sequence, "moved to another version")
    if came.fit is not Fit.OK:
        broken = f"it has {came.expected} where the code has {came.met}"
        raise VersionUnfit(run.id, version, broken if came.fit is Fit.BREAKS else came.message.rstrip("."))
