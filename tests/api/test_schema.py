from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

from runs import errors
from runs.api.errors import STATUS
from tests.api.client import ApiClient

KEPT = Path(settings.BASE_DIR) / "docs/reference/openapi.yaml"


def test_the_kept_document_is_up_to_date(tmp_path: Path) -> None:
    made = tmp_path / "openapi.yaml"
    call_command("spectacular", file=str(made), fail_on_warn=True, validate=True)
    assert made.read_text() == KEPT.read_text(), (
        "Run `.venv/bin/python manage.py spectacular --file docs/reference/openapi.yaml` and commit the difference."
    )


def test_the_schema_is_served_as_it_is_kept(api: ApiClient) -> None:
    assert api.get("/api/schema/").content.decode() == KEPT.read_text()
    assert api.get("/api/schema/", headers={"Accept": "application/vnd.oai.openapi+json"}).json()["openapi"] == "3.1.0"


def test_the_page_has_no_inline_script_and_nothing_from_elsewhere(alice: User, client: Client) -> None:
    assert client.get("/api/schema/browse/").headers["Location"] == "/sign-in/?next=/api/schema/browse/"
    client.force_login(alice)
    page = client.get("/api/schema/browse/")
    html = page.content.decode()
    directives = {part.strip() for part in page.headers["Content-Security-Policy"].split(";")}
    assert "script-src 'self'" in directives
    assert html.count("<script") == html.count('<script src="/') == 3
    assert "http://" not in html.replace("http://testserver", "")
    assert "https://" not in html
    script = client.get("/api/schema/browse/?script=")
    assert script.headers["Content-Type"].startswith("application/javascript")


CALLER_NEVER_MEETS = {
    errors.RunsError, errors.JobAlreadyRegistered, errors.InvalidJob, errors.InvalidOutput, errors.StepNameReused,
    errors.StepOutsideJob, errors.StepFailed, errors.StepTimeout, errors.RunTimeout, errors.StepCancelled,
    errors.EmitTooLarge, errors.NondeterminismError, errors.InvalidStepName, errors.JobsNotLoaded,
    errors.TimerAroundWait, errors.InvalidState, errors.SignalTimeout, errors.InvalidSignal, errors.ChildFailed,
    errors.BudgetExceeded, errors.InvalidArtifact, errors.ArtifactTooLarge,
}  # fmt: skip


@pytest.mark.parametrize(
    "kind",
    [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.RunsError)],
)
def test_every_error_that_a_caller_can_meet_has_its_status(kind: type[errors.RunsError]) -> None:
    assert (kind.code in STATUS) != (kind in CALLER_NEVER_MEETS)
