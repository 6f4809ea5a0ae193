"""Typed settings of the engine with their defaults: `settings.RUNS_<NAME>` in Django's settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cache

from django.conf import settings
from django.core.signals import setting_changed


@dataclass(frozen=True, kw_only=True)
class RunsSettings:
    """Each field is read from `settings.RUNS_<NAME IN CAPITALS>`. Durations in seconds, sizes in bytes."""

    lease_seconds: float = 30.0
    renew_seconds: float = 5.0
    unload_after: float = 1.0
    unload_grace_seconds: float = 5.0
    concurrency: int = 100
    threads: int = 32
    claim_batch: int = 32
    max_claims: int = 5
    drain_seconds: float = 20.0
    loop_stall_seconds: float = 20.0
    sync_abort_grace_seconds: float = 60.0
    worker_max_rss_mib: int = 2048
    max_payload_bytes: int = 1024 * 1024
    max_payload_depth: int = 100
    max_artifact_bytes: int = 32 * 1024 * 1024
    max_emit_bytes: int = 256 * 1024
    attempt_buffer_bytes: int = 1024 * 1024
    process_buffer_bytes: int = 64 * 1024 * 1024
    frame_gather_seconds: float = 0.03
    interest_seconds: float = 15.0
    checkpoints_kept: int = 3
    event_ttl_hours: float = 24.0
    run_ttl_days: float = 30.0
    delete_on_completion: bool = False
    heartbeat_seconds: float = 15.0
    query_seconds: float = 5.0
    update_wait_seconds: float = 5.0
    workflow_job: str = ""
    queues: tuple[str, ...] = ()
    queue_limits: Mapping[str, int] = field(default_factory=dict)
    bus: str = "runs.live.bus.LayerBus"
    clock_file: str = ""


@cache
def get_settings() -> RunsSettings:
    """The settings in force, read once; `override_settings` in tests resets them."""
    found = {
        field.name: getattr(settings, f"RUNS_{field.name.upper()}")
        for field in fields(RunsSettings)
        if hasattr(settings, f"RUNS_{field.name.upper()}")
    }
    return RunsSettings(**found)


def serve_only(queues: tuple[str, ...]) -> None:
    """This process, and those that are forked from it, take runs of these queues only."""
    settings.RUNS_QUEUES = queues
    get_settings.cache_clear()


def _forget(*, setting: str, **_: object) -> None:
    if setting.startswith("RUNS_"):
        get_settings.cache_clear()


setting_changed.connect(_forget)
