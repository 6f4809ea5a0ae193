"""A model's tool call waits in the inbox of a real server, over a crash; what people decide is what happens."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.servers.installation import Installation
from tests.vendors.process import FakeVendor

APP = "tests.e2e.talking_app"


def scripted(vendor: FakeVendor, path: Path) -> None:
    call = {"name": "write_note", "arguments": {"path": str(path), "text": "buy milk\u202e"}}
    vendor.script([{"turn": 1, "tool_calls": [call]}, {"turn": 2, "text": "It is done."}])


def asked(server: Installation, vendor: FakeVendor, path: Path) -> str:
    """A run that waits for an approval; its id."""
    scripted(vendor, path)
    run_id = server.start_run("talk", {"question": "Note it"})
    server.wait_for_status(run_id, "waiting", within=90)
    return run_id


@pytest.mark.parametrize("width", [1280, 390])
def test_edited_arguments_are_what_runs(
    install: Callable[..., Installation], browser: Browser, tmp_path: Path, width: int
) -> None:
    notes = tmp_path / "notes"
    with FakeVendor() as vendor:
        server = install(PERDURE_APPS=APP, PERDURE_PROVIDER_URL=f"{vendor.openai_url}#m").start()
        run_id = asked(server, vendor, notes)
        server.kill_tree()
        server.start()
        context = browser.new_context(base_url=server.base_url, viewport={"width": width, "height": 900})
        page = context.new_page()
        page.goto(server.one_time_link)
        _approve_edited(page, {"path": str(notes), "text": "buy bread"})
        run = server.wait_for_status(run_id, "completed", within=90)
        context.close()
        assert run["output"] == "It is done."
        assert notes.read_text() == "buy bread\n"
        first, second = vendor.calls()
        told: Any = second["body"]["messages"][-1]
        assert (told["role"], told["tool_call_id"]) == ("tool", second["body"]["messages"][-2]["tool_calls"][0]["id"])
        assert "admin changed the arguments" in told["content"]
        assert "noted 'buy bread'" in told["content"]
        assert first["number"] + 1 == second["number"]


def _approve_edited(page: Page, arguments: dict[str, str]) -> None:
    page.goto("/inbox/")
    page.get_by_role("link", name="Call write_note?").click()
    page.get_by_text("Change the arguments").click()
    field = page.get_by_role("textbox", name="Arguments")
    expect(field).to_have_value(re.compile(r"buy milk\\u202e"), timeout=30_000)
    field.fill(json.dumps(arguments))
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("Decided: approve")).to_be_visible(timeout=30_000)


def test_a_denial_reaches_the_model_over_rest(install: Callable[..., Installation], tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    with FakeVendor() as vendor:
        server = install(PERDURE_APPS=APP, PERDURE_PROVIDER_URL=f"{vendor.openai_url}#m").start()
        run_id = asked(server, vendor, notes)
        question = server.request("GET", f"/api/questions/?run={run_id}").json()["results"][0]
        assert question["context"]["arguments"]["text"] == "buy milk\u202e"
        answer = {"decision": "deny", "comment": "No notes today.", "digest": question["digest"]}
        assert server.request("POST", f"/api/questions/{question['id']}/answer/", json=answer).status_code == 200
        assert server.wait_for_status(run_id, "completed", within=90)["output"] == "It is done."
        told = vendor.calls()[1]["body"]["messages"][-1]
        assert "denied by admin: No notes today." in told["content"]
        assert not notes.exists()
