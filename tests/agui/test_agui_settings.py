"""The settings of AG-UI come from the environment; what would be unsafe or cannot work is a system check."""

import pytest
from django.core.checks import CheckMessage, Tags, run_checks
from pydantic import ValidationError

from perdure.agui.conf import AguiSettings, get_settings
from perdure.environment import Environment, prefixed
from perdure.management.commands.up import Command

LONG = "a-token-that-nobody-guesses"


def _found() -> dict[str, CheckMessage]:
    found = [*run_checks(), *run_checks(tags=[Tags.security])]
    return {str(message.id): message for message in found if str(message.id).startswith("agui.")}


def test_without_variables_the_defaults_count() -> None:
    assert prefixed(AguiSettings, "AG_UI_", {}) == {}
    assert get_settings() == AguiSettings()
    assert get_settings().default_job == "chat-agent"
    assert get_settings().session_ttl_sec is None


def test_each_variable_has_the_type_of_its_field() -> None:
    given = {
        "AG_UI_AUTH_TOKENS": "one, dora=two,",
        "AG_UI_SESSION_TTL_SEC": "3600",
        "AG_UI_MAX_EVENTS_PER_SESSION": "50",
        "AG_UI_DEFAULT_JOB": "helper",
    }
    assert prefixed(AguiSettings, "AG_UI_", given) == {
        "AG_UI_AUTH_TOKENS": ("one", "dora=two"),
        "AG_UI_SESSION_TTL_SEC": 3600.0,
        "AG_UI_MAX_EVENTS_PER_SESSION": 50,
        "AG_UI_DEFAULT_JOB": "helper",
    }


@pytest.mark.parametrize(
    ("name", "value"), [("SESSION_TTL_SEC", "0"), ("MAX_EVENTS_PER_SESSION", "-1"), ("MAX_EVENTS_PER_SESSION", "all")]
)
def test_a_value_that_does_not_fit_is_refused_by_its_name(name: str, value: str) -> None:
    with pytest.raises(ValidationError, match=name.lower()):
        prefixed(AguiSettings, "AG_UI_", {f"AG_UI_{name}": value})


@pytest.mark.parametrize(
    ("value", "expected"),
    [("0.0.0.0:8080", ("0.0.0.0", 8080)), ("[::1]:9000", ("::1", 9000)), (":8080", ("0.0.0.0", 8080))],
)
def test_the_address_to_listen_on_is_host_and_port(
    value: str, expected: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AG_UI_BIND_ADDR", value)
    assert Environment().bind_addr == expected


def test_up_listens_there_unless_it_is_told_otherwise(settings, monkeypatch: pytest.MonkeyPatch) -> None:
    parser = Command().create_parser("manage.py", "up")
    assert (parser.parse_args([]).host, parser.parse_args([]).port) == ("127.0.0.1", 8000)
    monkeypatch.setenv("AG_UI_BIND_ADDR", "0.0.0.0:8080")
    settings.ENVIRONMENT = Environment()
    parser = Command().create_parser("manage.py", "up")
    assert (parser.parse_args([]).host, parser.parse_args([]).port) == ("0.0.0.0", 8080)
    assert parser.parse_args(["--port", "9000"]).port == 9000


@pytest.mark.parametrize("value", ["localhost", "localhost:x", "localhost:70000"])
def test_another_address_is_refused_with_the_remedy(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AG_UI_BIND_ADDR", value)
    with pytest.raises(ValidationError, match="host:port"):
        Environment()


@pytest.mark.parametrize("value", ["Scalable", "scalable", "SCALABLE "])
def test_the_storage_type_is_read_in_any_case(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORAGE_TYPE", value)
    assert Environment().storage_type == "Scalable"


def test_an_unknown_storage_type_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORAGE_TYPE", "Cloud")
    with pytest.raises(ValidationError, match="Standalone"):
        Environment()


def test_scalable_demands_what_several_machines_share(settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("STORAGE_TYPE", "Scalable")
    settings.ENVIRONMENT = Environment()
    hint = _found()["agui.E004"].hint or ""
    assert "DATABASE_URL" in hint
    assert "REDIS_URL" in hint
    monkeypatch.setenv("DATABASE_URL", "postgres://me@db.example/perdure")
    monkeypatch.setenv("REDIS_URL", "redis://redis.example")
    settings.ENVIRONMENT = Environment()
    assert "agui.E004" not in _found()


@pytest.mark.parametrize(("hosts", "expected"), [(["localhost"], "agui.W001"), (["runs.example"], "agui.E001")])
def test_a_short_token_is_named_and_refused_where_others_come_in(settings, hosts: list[str], expected: str) -> None:
    settings.ALLOWED_HOSTS = hosts
    settings.AG_UI_AUTH_TOKENS = ("demo-token", LONG)
    assert set(_found()) == {expected}
    assert "demo-token" not in str(_found()[expected])


def test_a_token_of_two_users_and_a_name_that_cannot_be_are_refused(settings) -> None:
    settings.AG_UI_AUTH_TOKENS = (f"dora={LONG}", f"emil={LONG}", f"no one={LONG}-2")
    assert set(_found()) == {"agui.E002", "agui.E003"}


def test_a_default_job_that_frontends_may_not_talk_to_is_named(settings) -> None:
    assert _found() == {}
    settings.AG_UI_DEFAULT_JOB = "no-such-job"
    assert set(_found()) == {"agui.W002"}
    settings.AG_UI_DEFAULT_JOB = ""
    assert _found() == {}
