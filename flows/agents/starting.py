"""Starting runs of agent flows."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from flows.agents import catalogue, permit, stored
from flows.agents.errors import FlowNotFound
from flows.agents.script import Script
from flows.agents.spec import Flow
from runs import jobs
from runs.jobs import SYSTEM, Actor, Budget, Started

JOB = "agent-flow"


def start(
    flow: str | Flow,
    task: str = "",
    *,
    version: str | None = None,
    folder: str = "",
    variables: Mapping[str, str] | None = None,
    sessions: Mapping[str, Any] | None = None,
    scenario: Sequence[Mapping[str, Any]] | None = None,
    max_steps: int | None = None,
    single_step: bool = False,
    language: str | None = None,
    called: Mapping[str, Flow] | None = None,
    owner: Any = None,
    team: Any = None,
    labels: Mapping[str, str] | None = None,
    idempotency_key: str | None = None,
    budget: Mapping[str, Any] | None = None,
    actor: Actor = SYSTEM,
) -> Started:
    """Start a run of a flow, pinned to its definition as it is now and to those of all that it calls.

    Without a version the newest is taken; a flow that is given stands in no catalogue, and `called` holds others
    that stand in none, by name. `budget` tightens that of the flow. Raises FlowNotFound, InvalidFlow, InvalidScenario
    and what `runs.jobs.start` raises; then no run exists.
    """
    made = flow if isinstance(flow, Flow) else catalogue.find(flow, version)
    Script.of(None if scenario is None else [dict(entry) for entry in scenario])
    given = called or {}
    with transaction.atomic():
        pins = stored.pin_all(made, lambda name, of: given[name] if name in given else catalogue.find(name, of))
        value = {
            "flow": made.name, "version": made.version, "task": task, "definition": pins[made.name],
            "definitions": {name: digest for name, digest in pins.items() if name != made.name}, "folder": folder,
            "vars": dict(variables or {}), "sessions": dict(sessions or {}), "scenario": scenario,
            "scenario_key": permit.sign(scenario),
            "max_steps": max_steps, "single_step": single_step, "language": language,
        }  # fmt: skip
        return jobs.start(
            JOB, value, owner=owner, team=team, labels={**(labels or {}), "flow": made.name},
            idempotency_key=idempotency_key, budget=budget, actor=actor,
        )  # fmt: skip


def budget_of(wanted: Mapping[str, Any]) -> Budget | None:
    """What a run with this input may spend: its flow's budget. None where there is none, or no such flow."""
    try:
        if digest := wanted.get("definition"):
            return Budget.of(stored.pinned(digest).get("budget"))
        return Budget.of(catalogue.find(str(wanted.get("flow")), wanted.get("version") or None).budget)
    except FlowNotFound:
        return None  # the run says so when it begins
