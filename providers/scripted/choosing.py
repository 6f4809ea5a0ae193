"""Which rule answers a request: the first that fits of a scenario's rules, or that of an entry nobody had yet."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Protocol

from pydantic import ValidationError

from providers.errors import BadRequest, ScriptedError
from providers.requests import ChatRequest
from providers.scripted.entries import Entry, InvalidScenario, ScenarioUsedUp, Unused, as_rules, entries_of
from providers.scripted.scenario import Rule, Scenario, load, read_document

Found = tuple[Rule, re.Match[str] | None]

_TAG: Final = re.compile(r"\Aentry(\d+)_")


class Chooser(Protocol):
    def rule(self, request: ChatRequest, model: str) -> Found:
        """Raises ProviderError."""


def open_scenario(source: Any) -> Chooser:
    """Of `Endpoint.extra["scenario"]`: rules, a list of entries, a path of either, one entry, or None.

    Raises BadRequest.
    """
    if isinstance(source, str):
        source = read_document(Path(source))
    try:
        if isinstance(source, list):
            return _Entries(entries_of(source))
        if isinstance(source, dict) and set(source) == {"entry"}:
            return _Rules(as_rules(Entry.model_validate_json(source["entry"])))
    except (InvalidScenario, ValidationError) as error:
        problem = str(error) if isinstance(error, InvalidScenario) else "The entry is none."
        raise BadRequest(problem) from None
    return _Rules(load(source))


class _Rules:
    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._used: Counter[int] = Counter()

    def rule(self, request: ChatRequest, model: str) -> Found:
        for number, rule in enumerate(self._scenario.rules):
            found = rule.found(request, model)
            if found and (rule.times is None or self._used[number] < rule.times):
                self._used[number] += 1
                return rule, found
        return Rule(), None


class _Entries:
    """Each call takes an entry of its own; the turns after its tools stay with it, by the ids of the calls."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._unused = Unused(entries)
        self._taken: list[Scenario] = []

    def rule(self, request: ChatRequest, model: str) -> Found:
        scenario = self._begun(request) or self._next(request)
        return _Rules(scenario).rule(request, model)

    def _next(self, request: ChatRequest) -> Scenario:
        try:
            entry = self._unused.take(*([request.persona] if request.persona else []))
        except ScenarioUsedUp as error:
            raise ScriptedError(str(error)) from None
        self._taken.append(as_rules(entry, f"entry{len(self._taken)}_"))
        return self._taken[-1]

    def _begun(self, request: ChatRequest) -> Scenario | None:
        for message in reversed(request.messages):
            if message.role == "user":
                break
            tag = _TAG.match(message.tool_calls[0].id) if message.tool_calls else None
            if tag and int(tag[1]) < len(self._taken):
                return self._taken[int(tag[1])]
        return None
