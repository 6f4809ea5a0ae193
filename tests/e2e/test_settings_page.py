"""API tokens in a real browser: made by the form, copied, used, revoked, by keyboard and without scripts."""

import httpx
from playwright.sync_api import expect

from tests.e2e.opening import OpenPage
from tests.servers.installation import Installation


def test_a_token_is_made_copied_used_and_revoked(open_page: OpenPage, server: Installation) -> None:
    page = open_page("/settings/", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_label("Name").fill("from a browser")
    page.get_by_label("Only read").check()
    page.get_by_label("Name").press("Enter")
    expect(page.get_by_role("heading", name="The token from a browser is made")).to_be_visible()
    shown = page.get_by_label("The token from a browser", exact=True)
    page.get_by_role("button", name="Copy the token").press("Enter")
    expect(page.get_by_text("Copied.")).to_be_attached()
    plain = page.evaluate("navigator.clipboard.readText()")
    assert plain == shown.input_value()
    asks = {"Authorization": f"Bearer {plain}"}
    with httpx.Client(base_url=server.base_url, headers=asks) as program:
        assert program.get("/api/runs/").status_code == 200
        assert program.post("/api/runs/", json={"job": "countdown", "input": {}}).status_code == 403
        page.goto("/settings/")
        assert plain not in page.content()
        page.get_by_role("link", name="Revoke from a browser").press("Enter")
        page.get_by_role("button", name="Revoke").press("Enter")
        expect(page.get_by_text("The token from a browser is revoked.")).to_be_visible()
        assert program.get("/api/runs/").status_code == 401


def test_a_token_is_made_without_scripts_on_a_phone(open_page: OpenPage) -> None:
    page = open_page("/settings/", java_script_enabled=False, viewport={"width": 390, "height": 844})
    page.get_by_label("Name").fill("without scripts")
    page.get_by_role("button", name="Make token").click()
    assert page.get_by_label("The token without scripts", exact=True).input_value().startswith("pdr_")
