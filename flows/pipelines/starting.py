"""Starting runs of pipelines, and running one again from a step on."""

from typing import Any
from uuid import UUID

from django.db import transaction
from pydantic import ValidationError

from flows.documents import Problem, dotted
from flows.pipelines import catalogue, stored, validation
from flows.pipelines.errors import InvalidPipeline, InvalidPipelineInput, PipelineNotFound, StepNotInPipeline
from flows.pipelines.naming import READ_DEFINITION
from flows.pipelines.run_input import PipelineInput, Rerun, RunInput
from flows.pipelines.spec import PipelineDef
from runs import jobs
from runs.errors import HistoryPruned, RunNotFinished, RunNotFound
from runs.jobs import SYSTEM, Actor, Budget, Started
from runs.models import Run, Step, StepStatus

JOB = "pipeline"


def start(
    type: str | PipelineDef,
    input: Any = None,
    *,
    version: str | None = None,
    owner: Any = None,
    team: Any = None,
    mode: str = "async",
    labels: dict[str, str] | None = None,
    idempotency_key: str | None = None,
    budget: dict[str, Any] | None = None,
    actor: Actor = SYSTEM,
) -> Started:
    """Start a run of a pipeline, pinned to its definition as it is now.

    `input` is `{"sources": [{"kind", "label", "content", "metadata"}], "options": {}}`. Without a version the newest
    is taken; a definition that is given stands in no catalogue. `budget` tightens that of the definition. Raises
    PipelineNotFound, InvalidPipelineInput, InvalidPipeline (a provider is gone), and what `runs.jobs.start` raises;
    then no run exists.
    """
    made = type if isinstance(type, PipelineDef) else catalogue.find(type, version)
    _check_providers(made)
    given = _input(input)
    with transaction.atomic():
        return _started(
            made, given, mode, None, owner=owner, team=team, labels=labels, idempotency_key=idempotency_key,
            actor=actor, budget=budget,
        )  # fmt: skip


def rerun(
    run_id: UUID | str,
    *,
    user: Any,
    from_step: str | None = None,
    reuse_upstream: bool = False,
    override_input: Any = None,
    actor: Actor = SYSTEM,
) -> Started:
    """A new run of the definition that an ended run is pinned to, with its input or another.

    With `reuse_upstream` the results of what stands before `from_step` are taken over: all steps that it depends on,
    and all listed before it that do not depend on it. The new run is the `user`'s, in the team of the old one.
    Raises RunNotFound (also for one that the user may not see), RunNotFinished, StepNotInPipeline,
    InvalidPipelineInput, HistoryPruned.
    """
    old = _visible(run_id, user)
    made = definition_of(old)
    if from_step is not None and made.step(from_step) is None:
        raise StepNotInPipeline(from_step, made.type)
    if not old.has_ended:
        raise RunNotFinished(old.id, old.status)
    reuses = reuse_upstream and from_step is not None
    if reuses and old.first_sequence > 1:
        raise HistoryPruned(old.id, old.first_sequence, "run again from a step")
    given = _input(override_input) if override_input is not None else RunInput.model_validate(old.input).input
    again = Rerun(of=old.id, from_step=from_step, reuse_upstream=reuses)
    with transaction.atomic():
        return _started(made, given, "rerun", again, owner=user, team=old.team, labels=old.labels, actor=actor)


def definition_of(run: Run) -> PipelineDef:
    """The definition that a run of the job `pipeline` is pinned to, or, as long as it is to none, would be now."""
    given = RunInput.model_validate(run.input)
    if given.definition:
        return PipelineDef.model_validate(stored.pinned(given.definition))
    read = Step.objects.filter(run=run, name=READ_DEFINITION, status=StepStatus.COMPLETED).first()
    if read is not None and read.output is not None:
        return PipelineDef.model_validate(read.output)
    return catalogue.find(given.pipeline, given.version or None)


def _started(
    made: PipelineDef, given: PipelineInput, mode: str, again: Rerun | None, *, labels: dict[str, str] | None = None,
    budget: dict[str, Any] | None = None, **options: Any,
) -> Started:  # fmt: skip
    value = RunInput.model_validate(
        {"pipeline": made.type, "version": made.version, "definition": stored.pin(made), "input": given, "mode": mode,
         "rerun": again}
    )  # fmt: skip
    labels = {**(labels or {}), "pipeline": made.type}
    return jobs.start(JOB, value, labels=labels, budget=_budget(made, budget), **options)


def _budget(made: PipelineDef, wanted: dict[str, Any] | None) -> Budget | None:
    """Raises InvalidOption where more is wanted than the definition allows: whoever starts a run does not decide it."""
    own, asked = Budget.of(made.budget), Budget.of(wanted)
    return asked if own is None else own.tightened(asked)


def budget_of(wanted: dict[str, Any]) -> Budget | None:
    """What a run with this input may spend: its pipeline's budget. None where there is none, or no such pipeline."""
    try:
        if digest := wanted.get("definition"):
            return Budget.of(stored.pinned(digest).get("budget"))
        return Budget.of(catalogue.find(str(wanted.get("pipeline")), wanted.get("version") or None).budget)
    except PipelineNotFound:
        return None  # the run says so when it begins


def _check_providers(made: PipelineDef) -> None:
    """A profile may have gone since the definition was loaded. Raises InvalidPipeline."""
    if missing := validation.unknown_providers(made):
        raise InvalidPipeline(
            [Problem(one.message, dotted(one.path)) for one in missing], f"{made.type} {made.version}"
        )


def _input(value: Any) -> PipelineInput:
    try:
        return PipelineInput.model_validate(value if value is not None else {})
    except ValidationError as exc:
        raise InvalidPipelineInput(
            [
                {"field": ".".join(["input", *map(str, error["loc"])]), "message": error["msg"]}
                for error in exc.errors(include_url=False, include_input=False, include_context=False)
            ]
        ) from exc


def _visible(run_id: UUID | str, user: Any) -> Run:
    run = jobs.get(run_id)
    if run.job != JOB or not jobs.visible_runs(user).filter(id=run.id).exists():
        raise RunNotFound(run_id)
    return run
