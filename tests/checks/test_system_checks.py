"""Each setting that would lose, repeat or wedge runs is a system check with an id and a remedy."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.core.checks import CheckMessage
from django.test import override_settings

from runs import checks


def _ids(found: list[CheckMessage]) -> list[str]:
    assert all(message.hint for message in found), "every message ends with a remedy"
    return [str(message.id) for message in found]


def _cluster(**changes: Any) -> list[str]:
    with override_settings(Q_CLUSTER={**settings.Q_CLUSTER, **changes}):
        return _ids(checks.check_cluster())


def _database(**changes: Any) -> list[str]:
    with override_settings(DATABASES={"default": {**settings.DATABASES["default"], **changes}}):
        return _ids(checks.check_databases())


def test_the_project_as_it_stands_passes() -> None:
    for check in (checks.check_cluster, checks.check_databases, checks.check_streams, checks.check_leases):
        assert list(check()) == []


def test_without_a_cluster_nothing_can_drive_runs() -> None:
    with override_settings(Q_CLUSTER=None):
        assert _ids(checks.check_cluster()) == ["runs.E001"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"broker_class": "django_q.brokers.orm.ORM"}, "runs.E002"),
        ({"broker_class": "no.such.Broker"}, "runs.E002"),
        ({"broker_class": None}, "runs.E002"),
        ({"ack_failures": False}, "runs.E003"),
        ({"workers": 1}, "runs.E004"),
        ({"workers": None}, "runs.E004"),
        ({"queue_limit": 100}, "runs.E005"),
        ({"timeout": None}, "runs.E006"),
        ({"timeout": 900}, "runs.E006"),
        ({"sync": True}, "runs.W001"),
        ({"guard_cycle": 5}, "runs.W001"),
    ],
)
def test_a_cluster_that_would_not_work_is_refused(changes: dict[str, Any], expected: str) -> None:
    assert _cluster(**changes) == [expected]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"OPTIONS": {"pool": True}}, "runs.E007"),
        ({"CONN_MAX_AGE": 60}, "runs.E008"),
        ({"CONN_MAX_AGE": None}, "runs.E008"),
        ({"ATOMIC_REQUESTS": True}, "runs.E009"),
    ],
)
@pytest.mark.filterwarnings("ignore:Overriding setting DATABASES")
def test_connections_that_do_not_survive_forks_or_threads_are_refused(changes: dict[str, Any], expected: str) -> None:
    assert _database(**changes) == [expected]


def test_gzip_before_event_streams_is_refused() -> None:
    with override_settings(MIDDLEWARE=["django.middleware.gzip.GZipMiddleware"]):
        assert _ids(checks.check_streams()) == ["runs.E010"]


@pytest.mark.parametrize(("installed", "expected"), [("8.1.0", ["runs.E011"]), ("7.4.1", [])])
def test_a_redis_client_that_breaks_idle_subscriptions_is_refused(
    installed: str, expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    only_redis: Callable[[str], str] = {"redis": installed}.__getitem__
    monkeypatch.setattr(checks, "version", only_redis)
    with override_settings(CHANNEL_LAYERS={"default": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer"}}):
        assert _ids(checks.check_streams()) == expected
    with override_settings(CHANNEL_LAYERS={"default": {"BACKEND": "runs.live.layers.sqlite.SqliteChannelLayer"}}):
        assert _ids(checks.check_streams()) == []


def test_a_lease_that_any_pause_loses_is_warned_of() -> None:
    with override_settings(RUNS_LEASE_SECONDS=1):
        assert _ids(list(checks.check_leases())) == ["runs.W002"]


@pytest.mark.parametrize(
    "named",
    [{"RUNS_QUEUES": "gpu"}, {"RUNS_QUEUES": ("",)}, {"RUNS_QUEUE_LIMITS": {"gpu": 0}},
     {"RUNS_QUEUE_LIMITS": {"gpu": "2"}}, {"RUNS_QUEUE_LIMITS": ["gpu"]}], ids=str,
)  # fmt: skip
def test_queues_that_cannot_be_served_or_counted_are_refused(named: dict[str, Any]) -> None:
    with override_settings(RUNS_QUEUES=("gpu",), RUNS_QUEUE_LIMITS={"gpu": 2}):
        assert _ids(list(checks.check_queues())) == []
    with override_settings(**named):
        assert _ids(list(checks.check_queues())) == ["runs.E012"]


@pytest.mark.parametrize(
    ("storage", "expected"),
    [
        ({"BACKEND": "runs.engine.files.ArtifactStorage"}, []), ({"BACKEND": "no.such.Storage"}, ["runs.E013"]),
        ({"BACKEND": "runs.engine.files.ArtifactStorage", "OPTIONS": {"bucket": "x"}}, ["runs.E013"]),
        (None, ["runs.E013"]),
    ],
)  # fmt: skip
def test_a_storage_for_what_runs_save_is_there_and_works(storage: dict[str, Any] | None, expected: list[str]) -> None:
    with override_settings(STORAGES={"default": {}} | ({"artifacts": storage} if storage else {})):
        assert _ids(list(checks.check_artifacts())) == expected
