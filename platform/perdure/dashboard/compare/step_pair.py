"""One step of two runs: what was asked, what came of it, and the difference of both."""

from dataclasses import dataclass

from perdure.dashboard.compare.facts import text_of
from perdure.dashboard.diffs.files import unified
from perdure.dashboard.run.conversation import prompts
from runs.jobs import redact
from runs.models import Run, Step


@dataclass(frozen=True)
class TextPair:
    """`diff` is empty for equal texts, and None for texts too long to be matched line by line."""

    title: str
    left: str
    right: str
    diff: str | None

    @property
    def is_same(self) -> bool:
        return self.left == self.right

    @property
    def is_empty(self) -> bool:
        return not self.left and not self.right


@dataclass(frozen=True)
class StepPair:
    """At least one step is there."""

    name: str
    left: Step | None
    right: Step | None
    texts: list[TextPair]


def read_step_pair(left: Run, right: Run, name: str) -> StepPair | None:
    """None where neither run has such a step."""
    steps = [run.steps.filter(name=name).first() for run in (left, right)]
    if not any(steps):
        return None
    asked = [_asked(run, step) for run, step in zip((left, right), steps, strict=True)]
    gave = [_gave(step) for step in steps]
    pairs = [text_pair("Asked", *asked), text_pair("Gave", *gave)]
    return StepPair(name, steps[0], steps[1], [pair for pair in pairs if not pair.is_empty])


def text_pair(title: str, left: str, right: str) -> TextPair:
    return TextPair(title, left, right, unified(left, right, title.lower()))


def _asked(run: Run, step: Step | None) -> str:
    if step is None or step.kind != "stream":
        return ""
    return "\n\n".join(prompt.text for prompt in prompts.prompts_of(run, [step.name]).get(step.name, ()))


def _gave(step: Step | None) -> str:
    if step is None:
        return ""
    failed = f"{step.error.get('type')}: {step.error.get('message')}" if step.error else ""
    return text_of(redact(step.output, step.secrets)) or failed
