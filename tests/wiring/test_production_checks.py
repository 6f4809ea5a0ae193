"""Values that are unsafe in production are named by a system check, with the remedy."""

import pytest
from django.core.checks import Tags, run_checks


def found():
    return {message.id: message for message in run_checks(tags=[Tags.security]) if message.id.startswith("perdure.")}


def test_the_defaults_are_safe():
    assert found() == {}


@pytest.mark.parametrize(
    ("code", "values"),
    [
        ("perdure.E001", {"SECRET_KEY": "short"}),
        ("perdure.E005", {"RUNS_CLOCK_FILE": "clock", "ALLOWED_HOSTS": ["runs.example"]}),
        ("perdure.E002", {"DEBUG": True, "ALLOWED_HOSTS": ["localhost", "runs.example"]}),
        ("perdure.W003", {"ALLOWED_HOSTS": ["*"]}),
    ],
)
def test_an_unsafe_value_is_named_with_its_remedy(settings, code, values):
    for name, value in values.items():
        setattr(settings, name, value)
    assert found()[code].hint
