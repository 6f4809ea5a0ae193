"""Rules that say which call gets which answer. The first rule that fits a call and is not used up answers it."""

import re
from collections import Counter
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, TypeAdapter, model_validator

from tests.vendors import faults
from tests.vendors.prompts import Prompt


def _regex(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"no regular expression: {error}") from error
    return pattern


Pattern = Annotated[str, AfterValidator(_regex)]


class ScriptedCall(BaseModel):
    """A tool call of the model. `arguments` as a text is sent as it is, so it need not be JSON."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    arguments: dict[str, Any] | str = {}
    id: str = ""
    fragments: int = 3


class ScriptedUsage(BaseModel):
    """Tokens to report instead of the counted ones; the counts of reasoning and cache are parts of the others."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None


class Conditions(BaseModel):
    """Which calls a rule is for. All that is given must hold."""

    match: Pattern = ""
    """Found in the last text of the user."""
    contains: Pattern = ""
    """Found in any message: a tool's result, the system's words."""
    model: str = ""
    """The model's name, with * and ?."""
    wire: Literal["", "openai", "ollama", "anthropic"] = ""
    operation: Literal["", "chat", "embeddings", "images"] = ""
    role: Literal["", "user", "tool", "assistant"] = ""
    """Who spoke last; assistant: the answer is to be continued."""
    turn: int = 0
    """1: answers the user; 2: goes on after the first tool results."""
    nth: list[int] = []
    """Of the calls for which the conditions above hold, counted from 1, which ones."""
    every: int = 0
    """Each so many-th of them."""
    times: int = 0
    """How often the rule answers before it is used up; 0 is always."""

    def fits(self, prompt: Prompt) -> bool:
        texts = "\n".join([*prompt.texts, *(turn.text for turn in prompt.turns)])
        wanted = {"wire": prompt.wire, "operation": prompt.operation, "role": prompt.role, "turn": prompt.turn}
        return (
            all(getattr(self, name) in ("", 0, value) for name, value in wanted.items())
            and (not self.model or fnmatchcase(prompt.model, self.model))
            and bool(re.search(self.match, prompt.user_text))
            and bool(re.search(self.contains, texts))
        )

    def counts(self, number: int) -> bool:
        """Is it the turn of this rule at the `number`-th call that fits it?"""
        return (not self.nth or number in self.nth) and (not self.every or number % self.every == 0)


class Rule(Conditions):
    """What the calls that meet the conditions are answered; without any answer: the default one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str | None = None
    chunks: list[str] = []
    """The text in these pieces; a `text` is cut into pieces of three words."""
    reasoning: str | list[str] = []
    tool_calls: list[ScriptedCall] = []
    json_value: Any = None
    """Answered as JSON text; written `json` in a rule."""
    finish: Literal["", "stop", "length", "tool_calls", "content_filter"] = ""
    usage: ScriptedUsage = ScriptedUsage()

    delay_seconds: float = 0
    """Before anything is answered."""
    chunk_delay_seconds: float = 0
    """Before each piece of a stream."""
    gate: str = ""
    """The answer stops before piece `gate_after` (0: before its status line) until this gate is opened."""
    gate_after: int = 0

    fault: str = ""
    status: int = 0
    """A fault by its HTTP status."""
    retry_after: int | float | str | None = None
    message: str = ""
    """The words of the error instead of the vendor's."""
    after_chunks: int = 1

    @model_validator(mode="before")
    @classmethod
    def _spelled(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        named = {("json_value" if key == "json" else key): value for key, value in given.items()}
        if isinstance(named.get("nth"), int):
            named["nth"] = [named["nth"]]
        if named.get("status") and not named.get("fault"):
            named["fault"] = faults.OF_STATUS.get(named["status"], "")
        return named

    @model_validator(mode="after")
    def _known(self) -> "Rule":
        if (self.fault or self.status) and self.fault not in faults.ALL:
            raise ValueError(f"no such fault: {self.fault or self.status}; there are {', '.join(sorted(faults.ALL))}")
        return self


DEFAULT = Rule()
_RULES = TypeAdapter(list[Rule])


class Script:
    """The rules in order, and how often each was met and used."""

    def __init__(self, rules: Sequence[Rule] = ()) -> None:
        self.rules = list(rules)
        self._met: Counter[int] = Counter()
        self._used: Counter[int] = Counter()

    @classmethod
    def read(cls, rules: Any) -> "Script":
        """Raises: pydantic.ValidationError (a ValueError) naming the rule and its key."""
        return cls(_RULES.validate_python(rules))

    def choose(self, prompt: Prompt) -> Rule:
        """Each rule that fits counts the call, whichever answers: `nth` does not depend on the rules above it."""
        chosen = None
        for at, rule in enumerate(self.rules):
            if rule.fits(prompt):
                self._met[at] += 1
                is_left = not rule.times or self._used[at] < rule.times
                if chosen is None and is_left and rule.counts(self._met[at]):
                    self._used[at] += 1
                    chosen = rule
        return chosen or DEFAULT
