"""The tables that transitions write to."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """How rows of one kind are written: columns with their PostgreSQL types, and what makes a row the same one."""

    name: str
    columns: tuple[tuple[str, str], ...]
    key: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.columns]

    @property
    def on_conflict(self) -> str:
        if not self.key:
            return ""
        changed = ", ".join(f"{name} = EXCLUDED.{name}" for name in self.names if name not in self.key)
        return f"ON CONFLICT ({', '.join(self.key)}) DO UPDATE SET {changed}"


STEPS = Table(
    "runs_step",
    (
        ("run_id", "uuid"), ("name", "text"), ("kind", "text"), ("branch", "text"), ("position", "int"),
        ("status", "text"), ("attempts", "int"), ("failures", "int"), ("output", "jsonb"), ("secrets", "jsonb"),
        ("error", "jsonb"), ("started_at", "timestamptz"), ("finished_at", "timestamptz"), ("wake_at", "timestamptz"),
    ),
    ("run_id", "name"),
)  # fmt: skip
ATTEMPTS = Table(
    "runs_attempt",
    (
        ("run_id", "uuid"), ("step_name", "text"), ("number", "int"), ("epoch", "bigint"), ("outcome", "text"),
        ("started_at", "timestamptz"), ("ended_at", "timestamptz"), ("error", "jsonb"), ("usage", "jsonb"),
    ),
    ("run_id", "step_name", "number"),
)  # fmt: skip
CHECKPOINTS = Table(
    "runs_checkpoint",
    (
        ("run_id", "uuid"), ("step_name", "text"), ("number", "int"), ("attempt", "int"), ("state", "jsonb"),
        ("secrets", "jsonb"), ("size", "int"), ("created_at", "timestamptz"),
    ),
)  # fmt: skip
LETTERS = Table(
    "runs_signal",
    (
        ("run_id", "uuid"), ("id", "bigint"), ("consumed_by", "text"), ("consumed_at", "timestamptz"),
        ("result", "jsonb"), ("error", "jsonb"), ("effect", "jsonb"),
    ),
)  # fmt: skip
STATES = Table("runs_state", (("run_id", "uuid"), ("value", "jsonb")), ("run_id",))
SPENDINGS = Table(
    "runs_spending", (("run_id", "uuid"), ("tokens", "bigint"), ("cost", "bigint"), ("steps", "bigint")), ("run_id",)
)
ARTIFACTS = Table(
    "runs_artifact",
    (
        ("run_id", "uuid"), ("name", "text"), ("version", "int"), ("media_type", "text"), ("size", "bigint"),
        ("digest", "text"), ("path", "text"), ("step_name", "text"), ("created_at", "timestamptz"),
    ),
)  # fmt: skip
EVENTS = Table(
    "runs_event",
    (
        ("run_id", "uuid"), ("sequence", "bigint"), ("type", "text"), ("step", "text"), ("attempt", "int"),
        ("data", "jsonb"), ("created_at", "timestamptz"),
    ),
)  # fmt: skip
