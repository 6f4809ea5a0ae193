"""System checks: settings under which runs would be lost, repeated or stuck, found before anything starts."""

from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import InvalidStorageError, storages
from django.db import DEFAULT_DB_ALIAS, DatabaseError, transaction
from django.utils.module_loading import import_string

from runs.maintenance.stranded import Stranded, Unserved, count_stranded, count_unserved

BROKER = "runs.worker.broker.RunsBroker"


@register()
def check_cluster(**_: Any) -> list[CheckMessage]:
    """Q_CLUSTER as the permanent drivers need it (runs.E001 to E006, W001)."""
    found = getattr(settings, "Q_CLUSTER", None)
    if not isinstance(found, dict):
        return [
            Error(
                "Q_CLUSTER is not set, so no worker can drive runs.",
                hint=f'Set Q_CLUSTER = {{"broker_class": "{BROKER}", "workers": 2, "queue_limit": 2, ...}}.',
                id="runs.E001",
            )
        ]
    return [*_broker(found), *_failures(found), *_processes(found), *_redelivery(found), *_supervision(found)]


@register()
def check_databases(**_: Any) -> list[CheckMessage]:
    """Connections that survive forks and threads (runs.E007 to E009)."""
    return [message for alias, options in settings.DATABASES.items() for message in _database(alias, options)]


@register()
def check_streams(**_: Any) -> list[CheckMessage]:
    """What would break live streams (runs.E010, E011)."""
    return [*_compression(settings.MIDDLEWARE), *_redis(getattr(settings, "CHANNEL_LAYERS", {}))]


@register()
def check_leases(**_: Any) -> Iterable[CheckMessage]:
    """A lease that one late renewal loses (runs.W002)."""
    lease = getattr(settings, "RUNS_LEASE_SECONDS", 30)
    if lease < 2:
        yield checks.Warning(
            f"RUNS_LEASE_SECONDS is {lease:g}: a short pause of a worker makes others take its runs.",
            hint="Use 2 s or more; 30 s is the default.",
            id="runs.W002",
        )


@register()
def check_queues(**_: Any) -> Iterable[CheckMessage]:
    """Names and limits of queues (runs.E012)."""
    served, limits = getattr(settings, "RUNS_QUEUES", ()), getattr(settings, "RUNS_QUEUE_LIMITS", {})
    if not isinstance(served, tuple | list) or not all(isinstance(name, str) and name for name in served):
        yield Error(
            f"RUNS_QUEUES is {served!r}, so a worker would serve no queue, or wrong ones.",
            hint='Name the queues in a tuple, as in ("default", "mail"), or leave it empty to serve all.',
            id="runs.E012",
        )
    if not isinstance(limits, dict) or not all(type(limit) is int and limit > 0 for limit in limits.values()):
        yield Error(
            f"RUNS_QUEUE_LIMITS is {limits!r}; each queue's limit is how many of its runs are driven at once.",
            hint='Give whole numbers above 0, as in {"gpu": 2}. To let nothing begin, pause the queue.',
            id="runs.E012",
        )


@register()
def check_artifacts(**_: Any) -> Iterable[CheckMessage]:
    """Where what runs save is kept (runs.E013)."""
    try:
        storages["artifacts"]
    except (InvalidStorageError, ImproperlyConfigured, TypeError, ValueError) as exc:
        yield Error(
            f"STORAGES has no 'artifacts' that works, so no run can save a file: {exc}",
            hint='Set STORAGES["artifacts"] = {"BACKEND": "runs.engine.files.ArtifactStorage", '
            '"OPTIONS": {"location": ...}}, or another storage that all hosts reach.',
            id="runs.E013",
        )


@register(Tags.database)
def check_versions(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """Runs that no live worker can take (runs.W003, W004); with `manage.py check --database default`."""
    if DEFAULT_DB_ALIAS not in (databases or ()):
        return []
    try:
        with transaction.atomic():
            unserved = [_no_server(queue) for queue in count_unserved()]
            return [*(_no_worker(version) for version in count_stranded()), *unserved]
    except DatabaseError:
        return []  # the tables are not there yet


def _no_worker(found: Stranded) -> CheckMessage:
    runs = "1 run" if found.runs == 1 else f"{found.runs} runs"
    return checks.Warning(
        f"No live worker has version {found.version!r} of job {found.job!r}, and {runs} of it could go on.",
        hint="Start a worker that has it, or move the runs to another version (POST /api/runs/{id}/move/).",
        id="runs.W003",
    )


def _no_server(found: Unserved) -> CheckMessage:
    runs = "1 run" if found.runs == 1 else f"{found.runs} runs"
    return checks.Warning(
        f"No live worker that could take them serves queue {found.queue!r}, and {runs} of it could go on.",
        hint=f"Start a worker that serves it: manage.py worker --queues {found.queue}.",
        id="runs.W004",
    )


def _broker(cluster: dict[str, Any]) -> Iterator[CheckMessage]:
    named = cluster.get("broker_class")
    try:
        fits = named == BROKER or issubclass(import_string(str(named)), import_string(BROKER))
    except (ImportError, TypeError):
        fits = False
    if not fits:
        yield Error(
            f"Q_CLUSTER['broker_class'] is {named!r}, so the cluster's processes would not drive runs.",
            hint=f"Set it to {BROKER!r} or to a subclass of it.",
            id="runs.E002",
        )


def _failures(cluster: dict[str, Any]) -> Iterator[CheckMessage]:
    if not cluster.get("ack_failures"):
        yield Error(
            "Q_CLUSTER['ack_failures'] is off: a failed background task is delivered again for ever.",
            hint="Set it to True.",
            id="runs.E003",
        )


def _processes(cluster: dict[str, Any]) -> Iterator[CheckMessage]:
    workers = cluster.get("workers")
    if not isinstance(workers, int) or workers < 2:
        yield Error(
            f"Q_CLUSTER['workers'] is {workers!r}; runs need one process and background tasks another one.",
            hint="Set it to the number of processes that drive runs, plus one.",
            id="runs.E004",
        )
    elif cluster.get("queue_limit") != workers:
        yield Error(
            f"Q_CLUSTER['queue_limit'] is {cluster.get('queue_limit')!r} and 'workers' is {workers}: "
            "work would be fetched ahead by a cluster that has no process for it.",
            hint=f"Set it to {workers}.",
            id="runs.E005",
        )


def _redelivery(cluster: dict[str, Any]) -> Iterator[CheckMessage]:
    timeout, retry = cluster.get("timeout"), cluster.get("retry", 60)
    if not timeout or timeout >= retry:
        yield Error(
            f"Q_CLUSTER['retry'] ({retry} s) is not above 'timeout' ({timeout!r} s): "
            "a background task would be delivered again while it still runs.",
            hint="Set a timeout, and a retry above it.",
            id="runs.E006",
        )


def _supervision(cluster: dict[str, Any]) -> Iterator[CheckMessage]:
    if cluster.get("sync") or cluster.get("guard_cycle", 0.5) > 1:
        yield checks.Warning(
            "Q_CLUSTER has 'sync' on, or a 'guard_cycle' above 1 s: dead processes would be replaced late or never.",
            hint="Remove both settings.",
            id="runs.W001",
        )


def _database(alias: str, options: dict[str, Any]) -> Iterator[CheckMessage]:
    if (options.get("OPTIONS") or {}).get("pool"):
        yield Error(
            f"DATABASES[{alias!r}]['OPTIONS']['pool'] is on: the cluster forks, and a pool that was opened before "
            "mixes up the answers of its processes.",
            hint="Remove 'pool'; workers manage their connections themselves.",
            id="runs.E007",
        )
    if options.get("CONN_MAX_AGE") != 0:
        yield Error(
            f"DATABASES[{alias!r}]['CONN_MAX_AGE'] is {options.get('CONN_MAX_AGE')!r}: an ASGI server's threads "
            "never give such connections back.",
            hint="Set it to 0.",
            id="runs.E008",
        )
    if options.get("ATOMIC_REQUESTS"):
        yield Error(
            f"DATABASES[{alias!r}]['ATOMIC_REQUESTS'] is on: a slow request would hold the write lock, and runs that "
            "it starts would be announced before they can be seen.",
            hint="Set it to False and use transaction.atomic() where it is needed.",
            id="runs.E009",
        )


def _compression(middleware: Iterable[str]) -> Iterator[CheckMessage]:
    if "django.middleware.gzip.GZipMiddleware" in middleware:
        yield Error(
            "GZipMiddleware is installed: it holds back or breaks server-sent events on Django 5.2.",
            hint="Remove it and compress in the server in front, except text/event-stream.",
            id="runs.E010",
        )


def _redis(layers: dict[str, Any]) -> Iterator[CheckMessage]:
    if not any(str(layer.get("BACKEND", "")).startswith("channels_redis") for layer in layers.values()):
        return
    try:
        installed = version("redis")
    except PackageNotFoundError:
        return
    if int(installed.split(".")[0]) >= 8:
        yield Error(
            f"redis {installed} is installed: from version 8 on, idle subscriptions of channels_redis break.",
            hint='Install "redis<8".',
            id="runs.E011",
        )
