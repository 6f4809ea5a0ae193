"""What the style guide shows its components with."""

from typing import Any

from perdure.dashboard.components import Tab

STATUSES = (
    "queued", "running", "waiting", "paused", "completed", "failed", "cancelled",
    "retrying", "lost", "skipped", "stopped", "open",
)  # fmt: skip
COLOURS = {
    "Grounds": ("ground", "surface", "sunken", "raised", "line", "line-strong"),
    "Words": ("ink", "muted", "accent", "accent-soft", "danger", "focus"),
    "Status": ("queued", "running", "waiting", "paused", "completed", "failed", "cancelled"),
    "Status, behind": tuple(f"{name}-soft" for name in STATUSES[:7]),
}
TABS = (
    Tab("Overview", "?tab=overview", current=True),
    Tab("Timeline", "?tab=timeline"),
    Tab("Steps", "?tab=steps", count=12),
    Tab("Questions", "?tab=questions", count=2),
    Tab("Files", "?tab=files", count=0),
)
MENU = (
    {"label": "Start one like this", "href": "#menu", "icon": "play"},
    {"label": "Fork from a step", "href": "#menu", "icon": "fork"},
    {"label": "Delete", "href": "#menu", "icon": "broom", "tone": "danger"},
)
ROWS = (
    {"job": "repository-report", "status": "completed", "owner": "Ada", "runs": "1,204", "spent": "$12.40"},
    {"job": "coding-assistant", "status": "waiting", "owner": "Grace", "runs": "38", "spent": "$4.02"},
    {"job": "expense", "status": "failed", "owner": "Linus", "runs": "7", "spent": "-"},
)
VALUE: dict[str, Any] = {
    "title": "Review of the retry policy",
    "accepted": True,
    "score": 8.5,
    "reviewer": None,
    "large": 9007199254740993,
    "findings": [
        {"file": "runs/engine/retry.py", "line": 42, "said": "The jitter is drawn once for each attempt."},
        {"file": "runs/clock.py", "line": 7, "said": "<script>alert(1)</script> stays text."},
    ],
    "note": "A longer text is cut until it is opened. " * 12,
    "numbers": list(range(260)),
}
PYTHON = '''from runs.jobs import StepContext, job


@job("greet")
async def greet(step: StepContext, name: str) -> str:
    """Says hello; the step is recorded once."""
    return await step.run("hello", lambda: f"Hello, {name}!")
'''
YAML = """name: review
steps:
  - id: draft   # the first one
    agent: writer
    retries: 3
"""
LONG_TEXT = "".join(
    f"{number:>5}  A line of a long text: only what is looked at is laid out.\n" for number in range(900)
)
