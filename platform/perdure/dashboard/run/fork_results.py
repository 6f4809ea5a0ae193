"""Recorded results that a fork changes: picked one by one, typed as JSON, and held against what was recorded."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from django.http import QueryDict

from perdure.dashboard.diffs.files import unified
from perdure.dashboard.run.fork_place import Place
from runs.conf import get_settings
from runs.jobs import readable, result_of
from runs.models import Run, Step

MOST = 20
"""Results of one fork: all of them stand on the page."""

LONGEST_SHOWN = 100_000
"""Characters of a recorded result that a field begins with; a longer one is typed whole, or kept."""


@dataclass(frozen=True)
class Edit:
    """One result: as text, as the value that it stands for, and `error` where it stands for none."""

    step: Step
    recorded: Any
    text: str
    value: Any = None
    error: str = ""

    @property
    def is_changed(self) -> bool:
        """A failed step that is given what it recorded, nothing, has a result then."""
        return not self.error and (self.step.error is not None or self.value != self.recorded)

    @property
    def before(self) -> str:
        return "" if self.step.error is not None else readable(self.recorded)

    @property
    def difference(self) -> str:
        """Empty where the texts are too long to be compared on a page."""
        return unified(self.before, readable(self.value), self.step.name) or ""

    @property
    def is_too_long_to_show(self) -> bool:
        return len(self.before) > LONGEST_SHOWN


@dataclass(frozen=True)
class Edits:
    """`problem` is about all of them."""

    edits: list[Edit]
    problem: str = ""

    @property
    def are_valid(self) -> bool:
        return not self.problem and not any(one.error for one in self.edits)

    @property
    def changed(self) -> list[Edit]:
        return [one for one in self.edits if one.is_changed]

    @property
    def outputs(self) -> dict[str, Any]:
        return {one.step.name: one.value for one in self.changed}


def read_edits(run: Run, place: Place, sent: QueryDict | None) -> Edits:
    """What was sent: `edit` names the steps, `result` holds their texts in the same order.

    `add` puts one more beside them, as it is recorded, and `drop` takes one away.
    """
    if sent is None:
        return Edits([])
    names, texts = sent.getlist("edit"), sent.getlist("result")
    typed = dict(zip(names, texts, strict=False))
    typed.pop(sent.get("drop", ""), None)
    added = sent.get("changed-step", "") if sent.get("do") == "add" else ""
    wanted = list(dict.fromkeys([*typed, *filter(None, [added])]))
    if len(wanted) > MOST:
        return Edits(_read(run, place, wanted[:MOST], typed), f"A fork changes {MOST} results at most. Leave one out.")
    unknown = next((name for name in wanted if name not in {one.name for one in place.editable}), None)
    found = _read(run, place, wanted, typed)
    if unknown is None:
        return Edits(found)
    problem = f"Step {unknown[:200]!r} has no result here that can be changed. Choose one of those that are listed."
    return Edits(found, problem)


def _read(run: Run, place: Place, names: list[str], typed: Mapping[str, str]) -> list[Edit]:
    allowed = {one.pk for one in place.editable if one.name in names}
    rows = {one.name: one for one in run.steps.filter(pk__in=allowed)}
    return [_edit(rows[name], typed.get(name)) for name in names if name in rows]


def _edit(step: Step, text: str | None) -> Edit:
    recorded = result_of(step)
    if text is None:
        shown = readable(recorded)
        return _typed(step, recorded, shown if len(shown) <= LONGEST_SHOWN else "")
    return _typed(step, recorded, text)


def _typed(step: Step, recorded: Any, text: str) -> Edit:
    most = get_settings().max_payload_bytes
    if len(text.encode("utf-8", "replace")) > most:
        return Edit(step, recorded, text, error=f"This is longer than {most:,} bytes. Shorten it.")
    if not text.strip():
        return Edit(step, recorded, text, error="Type a result as JSON, null for none, or take the step away.")
    try:
        return Edit(step, recorded, text, json.loads(text, parse_constant=_refuse))
    except json.JSONDecodeError as exc:
        said = f"This is not JSON: {exc.msg} at line {exc.lineno}, column {exc.colno}. Correct it; a text needs quotes."
        return Edit(step, recorded, text, error=said)
    except (ValueError, RecursionError) as exc:
        return Edit(step, recorded, text, error=f"This is not JSON: {exc}. Correct it and send it again.")


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number in JSON")
