"""Requests made from the OpenAPI document, fitting and unfitting, against the WSGI application."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
import schemathesis
from django.contrib.auth.models import Group, User
from django.core.wsgi import get_wsgi_application
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import positive_data_acceptance

from perdure.accounts.tokens import create_token
from runs import jobs
from tests.api.conftest import everything
from tests.api.test_schema import KEPT

pytestmark = pytest.mark.django_db(transaction=True)


DOCUMENT = schemathesis.openapi.from_path(KEPT)
DOCUMENT.app = get_wsgi_application()
FEW = settings(
    max_examples=5,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
)
OPERATIONS = [found.ok() for found in DOCUMENT.get_all_operations()]


def _takes_something(operation: APIOperation) -> bool:
    places = {parameter.location.value for parameter in operation.iter_parameters()}
    return bool(places & {"query", "path"}) or bool(list(operation.body))


ENDLESS = ["POST /v1/suggest/stream"]
"""What answers a fitting request with a stream that ends with its run: no worker is here. See tests/v1."""

# Nothing unfitting can be sent to an operation that takes nothing.
CASES = [
    pytest.param(operation, mode, id=f"{operation.label} {mode.value}")
    for operation in OPERATIONS
    for mode in GenerationMode
    if (operation.label not in ENDLESS if mode is GenerationMode.POSITIVE else _takes_something(operation))
]


@pytest.mark.parametrize(("operation", "mode"), CASES)
def test_every_answer_is_in_the_document_and_a_refusal_changes_nothing(
    operation: APIOperation, mode: GenerationMode, alice: User, team: Group
) -> None:
    headers = {"Authorization": f"Bearer {create_token(alice, 'generated')}"}

    @given(case=operation.as_strategy(generation_mode=mode, headers=headers))
    @(FEW if "/runs/" in operation.path else settings(FEW, max_examples=2))
    def send(case: schemathesis.Case) -> None:
        _send(case)
        if mode is GenerationMode.POSITIVE and "run_id" in case.path_parameters:
            case.path_parameters["run_id"] = str(jobs.start("echo", {}, owner=alice, team=team).run.id)
            _send(case)
        for name, make in _OF_A_PLAN.items():
            if mode is GenerationMode.POSITIVE and name in case.path_parameters:
                case.path_parameters[name] = str(make(alice, team).id)
                _send(case)

    send()


_OF_A_PLAN: dict[str, Callable[[User, Group], Any]] = {
    "schedule_id": lambda owner, team: jobs.create_schedule(
        jobs.ScheduleSpec(name=str(uuid4()), job="echo", input={}, cron="0 * * * *", team=team), owner=owner
    ),
    "preset_id": lambda owner, team: jobs.create_preset(str(uuid4()), "echo", {}, owner=owner, team=team),
}


def _send(case: schemathesis.Case) -> None:
    before = everything()
    # A made-up cursor fits the document and is refused all the same: only the list itself makes cursors.
    response = case.call_and_validate(excluded_checks=[positive_data_acceptance])
    assert response.status_code < 400 or everything() == before
