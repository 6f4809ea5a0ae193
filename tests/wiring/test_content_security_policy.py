"""Scripts come from this site only; the admin's theme alone may evaluate expressions."""

import pytest

HEADER = "Content-Security-Policy"

pytestmark = pytest.mark.django_db


def directive(response, name):
    found = dict(part.strip().split(" ", 1) for part in response[HEADER].split(";"))
    return found[name]


@pytest.mark.parametrize("path", ["/sign-in/", "/livez", "/nothing-here/"])
def test_pages_run_scripts_of_this_site_only(client, path):
    response = client.get(path)
    assert directive(response, "script-src") == "'self'"
    assert directive(response, "style-src") == "'self'"
    assert directive(response, "frame-ancestors") == "'none'"


def test_the_admin_may_evaluate(client):
    assert directive(client.get("/admin/login/"), "script-src") == "'self' 'unsafe-eval'"
