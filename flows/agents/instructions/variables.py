"""`{task}`, `{report:plan.md}` and the others: what may stand in a flow's texts, and what is put in for it."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from flows.agents.instructions.situation import Situation
from flows.agents.instructions.texts import Texts

PLAIN: Final = frozenset(
    ("task", "iteration", "max_steps", "max_iterations", "step_iteration", "previous_response", "user_inputs",
     "report_dir", "review_scope")
)  # fmt: skip
"""Those that stand alone."""

REFERRING: Final = frozenset(("report", "var", "context", "structured"))
"""Those that name something after a colon."""

_PLACEHOLDER: Final = re.compile(r"\{([A-Za-z_]\w*)(?::([^{}\n]{1,200}))?\}")


@dataclass(frozen=True, slots=True)
class Placeholder:
    """`{name}` or `{name:of}` as it stands in a text, at a line that counts from 1."""

    name: str
    of: str | None = None
    line: int = 1

    @property
    def is_known(self) -> bool:
        return self.name in (PLAIN if self.of is None else REFERRING)

    def __str__(self) -> str:
        return f"{{{self.name}}}" if self.of is None else f"{{{self.name}:{self.of}}}"


def placeholders(text: str) -> list[Placeholder]:
    """All that look like one, in order; others than the known ones stay as they are."""
    found: list[Placeholder] = []
    line, counted = 1, 0
    for match in _PLACEHOLDER.finditer(text):
        line += text.count("\n", counted, match.start())
        counted = match.start()
        found.append(Placeholder(match[1], match[2], line))
    return found


def has(text: str, *names: str) -> bool:
    """Does one of these stand alone in the text?"""
    return any(one.of is None and one.name in names for one in placeholders(text))


def inserted(text: str) -> str:
    """Text of others as it stands in a flow's own: with full-width braces, for which nothing is put in."""
    return text.replace("{", "\uff5b").replace("}", "\uff5d")


def filled(text: str, situation: Situation, texts: Texts) -> str:
    """Each known placeholder replaced, once: nothing is put in for what was put in."""
    plain = _plain(situation, texts)
    referring: Mapping[str, Callable[[str], str | None]] = {
        "report": situation.reports.get,
        "var": situation.variables.get,
        "context": lambda of: _shown(_in_context(situation.context, of)),
        "structured": lambda of: _shown(_at(situation.structured, of)),
    }

    def value(found: re.Match[str]) -> str:
        name, of = found[1], found[2]
        if of is None:
            return inserted(plain[name]) if name in plain else found[0]
        if name not in referring:
            return found[0]
        told = referring[name](of.strip())
        return texts.nothing if told is None else inserted(told)

    return _PLACEHOLDER.sub(value, text)


def filled_with_vars(text: str, variables: Mapping[str, str]) -> str:
    """Only `{var:name}` replaced: for texts that are about other things than this moment."""
    return _PLACEHOLDER.sub(
        lambda found: (
            inserted(variables[found[2].strip()])
            if found[1] == "var" and found[2] and found[2].strip() in variables
            else found[0]
        ),
        text,
    )


def split_reference(names: Iterable[str], of: str) -> tuple[str, str] | None:
    """`step.a.b` as the step's name and the path behind it; None where it begins with none of the names."""
    fitting = [name for name in names if of == name or of.startswith((f"{name}.", f"{name}["))]
    if not fitting:
        return None
    name = max(fitting, key=len)
    return name, of[len(name) :].removeprefix(".")


def _plain(situation: Situation, texts: Texts) -> dict[str, str]:
    most = texts.unlimited if situation.max_steps is None else str(situation.max_steps)
    return {
        "task": situation.task,
        "iteration": str(situation.iteration),
        "max_steps": most,
        "max_iterations": most,
        "step_iteration": str(situation.step_iteration),
        "previous_response": situation.previous or "",
        "user_inputs": "\n".join(situation.user_inputs),
        "report_dir": situation.report_dir or texts.report_place,
        "review_scope": situation.review_scope or texts.everything,
    }


_MISSING: Final = object()


def _in_context(context: Mapping[str, Mapping[str, Any]], of: str) -> Any:
    """`status`, `content` and `matched` of a step, or what stands in its output."""
    split = split_reference(context, of)
    if split is None:
        return _MISSING
    name, path = split
    given = context[name]
    if path in ("status", "content", "matched"):
        return given.get(path, _MISSING)
    return _walk(given.get("output"), path.removeprefix("output.") if path != "output" else "")


def _at(values: Mapping[str, Any], of: str) -> Any:
    split = split_reference(values, of)
    return _MISSING if split is None else _walk(values[split[0]], split[1])


def _walk(value: Any, path: str) -> Any:
    """What stands at `a.b[0].c`; `length` of a list is its length."""
    for part in re.findall(r"[^.\[\]]+", path):
        if isinstance(value, Mapping) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        elif isinstance(value, list | str) and part == "length":
            value = len(value)
        else:
            return _MISSING
    return value


def _shown(value: Any) -> str | None:
    if value is _MISSING or value is None:
        return None
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
