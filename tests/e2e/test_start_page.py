"""The start page in a real browser: rows, the code that is copied, one like a run before; and all without scripts."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from playwright.sync_api import expect

from tests.e2e.opening import OpenPage
from tests.servers.installation import Installation

CLIENT = Path(__file__).resolve().parents[2] / "clients" / "python"


def test_a_pipeline_is_started_by_rows_by_its_copied_code_and_once_more_like_it(
    open_page: OpenPage, server: Installation, tmp_path: Path
) -> None:
    page = open_page("/jobs/?q=triage")
    page.get_by_role("link", name="Start Triage of logs and code", exact=True).click()
    sources = page.get_by_role("group", name="Sources")
    add = page.get_by_role("button", name="Add a row to Sources")
    add.focus()
    page.keyboard.press("Enter")
    add.click()
    sources.get_by_label("Label").nth(0).fill("first")
    sources.get_by_label("Label").nth(1).fill("second")
    (tmp_path / "app.log").write_text('ERROR: it\'s "down" $HOME\n')
    sources.get_by_label("Or choose a file").nth(1).set_input_files(tmp_path / "app.log")
    page.get_by_role("button", name="Remove this row of Sources").nth(0).click()
    page.get_by_role("button", name="Show as code").click()
    expect(page.get_by_role("heading", name="Start it from code")).to_be_visible()
    expect(sources.get_by_label("Label")).to_have_value("second")  # the form stays as it was typed

    code = {}
    for title in ("curl", "Python"):
        if title != "curl":  # the first one is open
            page.locator("#code summary", has_text=title).click()
        code[title] = page.locator(f"#code [aria-label={title}] code").inner_text()
    inputs = [read_input(server, run(server, title, text)) for title, text in code.items()]
    assert inputs[0] == inputs[1]
    assert inputs[0]["input"]["sources"][0]["content"] == 'ERROR: it\'s "down" $HOME\n'

    page.goto(f"/start/pipeline/?like={newest_run(server)}")
    expect(page.get_by_role("group", name="Sources").get_by_label("Label")).to_have_value("second")
    page.get_by_role("button", name="Start the run").click()
    expect(page).to_have_url(re.compile("/runs/"))
    assert read_input(server, page.url.rstrip("/").rsplit("/", 1)[1])["input"] == inputs[0]["input"]


def test_without_scripts_rows_are_added_by_the_server_and_enter_starts_the_run(open_page: OpenPage) -> None:
    page = open_page("/pipelines/triage/", java_script_enabled=False)
    page.get_by_role("button", name="Add a row to Sources").click()
    label = page.get_by_role("group", name="Sources").get_by_label("Label")
    label.fill("by hand")
    page.get_by_role("button", name="JSON", exact=True).click()
    expect(page.get_by_role("textbox", name="Input")).to_have_value(re.compile("by hand"))
    page.get_by_role("button", name="Form", exact=True).click()
    expect(label).to_have_value("by hand")
    label.press("Enter")
    expect(page).to_have_url(re.compile("/runs/"))


def run(server: Installation, title: str, text: str) -> str:
    """The id of the run that the copied code has started."""
    command = ["bash", "-c", text] if title == "curl" else [sys.executable, "-c", text]
    environment = {**os.environ, "PERDURE_TOKEN": server.token}
    done = subprocess.run(
        command, cwd=CLIENT, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return str(json.loads(done.stdout)["id"]) if title == "curl" else done.stdout.strip()


def read_input(server: Installation, run_id: str) -> dict[str, Any]:
    found: dict[str, Any] = server.request("GET", f"/api/runs/{run_id}/").json()["input"]
    return found


def newest_run(server: Installation) -> str:
    return str(server.request("GET", "/api/runs/?job=pipeline").json()["results"][0]["id"])
