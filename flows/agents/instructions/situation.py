"""What a run knows when an agent is told what to do, as plain data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """`max_steps` is None without a limit. `previous` is what the step before this one said, None before the first.

    `reports` hold the newest content by name, `structured` the newest structured output by step, `context` what else a
    step gave (`{"status", "content", "output", "matched"}`), `variables` what `{var:name}` stands for. `folder` is the
    working directory, empty without one. `report_dir` and `review_scope` have a phrase of their own where empty.
    `language` is `en` or `ja`; empty: the flow's.
    """

    task: str
    iteration: int
    step_iteration: int = 1
    max_steps: int | None = None
    previous: str | None = None
    user_inputs: Sequence[str] = ()
    reports: Mapping[str, str] = field(default_factory=dict)
    structured: Mapping[str, Any] = field(default_factory=dict)
    context: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    folder: str = ""
    report_dir: str = ""
    review_scope: str = ""
    language: str = ""
