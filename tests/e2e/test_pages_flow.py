"""An agent flow's graph, its current step, its way with counts and why each step followed, live in a real browser."""

from playwright.sync_api import expect

from tests.e2e.opening import OpenPage
from tests.servers.installation import Installation

SCENARIO = "examples/flows/scenarios/review-loop-cycle.json"


def test_a_flow_is_followed_told_and_let_go_on_without_a_reload(
    server: Installation,
    open_page: OpenPage,
) -> None:
    begun = server.manage(
        "flow",
        "run",
        "review-loop",
        "--task=Count the books.",
        f"--scenario={SCENARIO}",
        "--single-step",
        "--user=admin",
    ).stdout.split()
    page = open_page(f"/runs/{begun[0]}/", viewport={"width": 390, "height": 844})
    current = page.locator("[data-current]")
    expect(current).to_have_attribute("data-node", "implement")
    expect(page.locator("main")).to_have_attribute("data-line", "open")
    page.get_by_label("Message to the agents").fill("Mind the <b>lent</b> books.")
    page.get_by_role("button", name="Tell them").click()
    expect(page.get_by_text("waits for the next step")).to_be_visible()

    page.evaluate("window.notReloaded = 1")
    page.get_by_label("Message to the agents").fill("Half a thought")
    token = page.locator("[name=csrfmiddlewaretoken]").first.input_value()
    go_on = f"{page.url}flow/continue/"
    page.evaluate(
        "([address, body]) => fetch(address, {method: 'POST', body: new URLSearchParams(body)}).then(() => null)",
        [go_on, {"mode": "run", "csrfmiddlewaretoken": token}],
    )
    expect(page.locator("main")).to_have_attribute("data-run-status", "completed")
    expect(page.locator('[data-node="COMPLETE"]')).to_contain_text("×1")
    expect(page.locator('[data-node="fix"]')).to_contain_text("×2")
    expect(page.locator("[data-current]")).to_have_count(0)
    expect(page.get_by_text("delivered at iteration 2")).to_be_visible()
    page.get_by_text("What the judge was asked, and said").first.click()
    expect(page.get_by_label("The judge's answer").first).to_have_text("The same finding twice. [JUDGE:2]")
    assert page.evaluate("window.notReloaded") == 1
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
