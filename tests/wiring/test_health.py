"""The health doors are open, and tell a status and the version only."""

import pytest
from django.conf import settings

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/api/health"])
def test_anybody_learns_the_status_and_the_version_and_nothing_else(client, path):
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "version": settings.VERSION}


def test_a_database_that_lacks_a_migration_is_not_ready(client):
    from django.db import connection
    from django.db.migrations.recorder import MigrationRecorder

    MigrationRecorder(connection).migration_qs.filter(app="accounts").delete()
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["status"] == "unavailable"
