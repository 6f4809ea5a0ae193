"""`python -m benchmarks.page`: a run's page under load, tab by tab. Exit code 1 where a goal is missed."""

import argparse
import json
import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from benchmarks.page.watching import Seen, Watcher
from tests.servers.browser import find_chromium
from tests.servers.installation import Installation

TABS = {
    "overview": "/runs/{}/", "timeline": "/runs/{}/timeline/", "steps": "/runs/{}/steps/",
    "conversation": "/runs/{}/conversation/",
}  # fmt: skip
PAINT, HEAP, TASK = 1000, 150 * 1024 * 1024, 200
"""Goals: milliseconds to the first contentful paint, bytes of JavaScript's heap, milliseconds of one task."""
FEWEST_FRAMES = 0.9
RESULT = Path(__file__).parents[1] / "results/page.json"


def main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    acts = options.only.split(",")
    # An answer of 2 MB is more than an installation takes unless it is told to, and so is what a reload shows of it.
    limit = str(2 * options.answer)
    installation = Installation(
        postgresql=False, PERDURE_APPS="benchmarks.page", RUNS_MAX_PAYLOAD_BYTES=limit, RUNS_ATTEMPT_BUFFER_BYTES=limit
    )
    with suppress(KeyboardInterrupt):
        try:
            installation.start()
            found = _measure(installation, acts, options)
        finally:
            installation.remove()
    sys.stdout.write(_table(found))
    if options.keep:
        RESULT.write_text(json.dumps([one.as_figures() for one in found], indent=1) + "\n")
    missed = [f"{one.tab}: {what}" for one in found for what in _missed(one, options)]
    sys.stdout.write("\n".join(missed or ["All goals are met."]) + "\n")
    return 1 if missed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.page", description=__doc__)
    parser.add_argument("--only", default=",".join(TABS), help=f"some of {','.join(TABS)}")
    parser.add_argument("--steps", type=int, default=5000)
    parser.add_argument("--logs", type=int, default=8, help="lines of the log for each step")
    parser.add_argument("--answer", type=int, default=2_000_000, help="characters of the streamed answer")
    parser.add_argument("--seconds", type=float, default=30, help="how long frames are watched")
    parser.add_argument("--per-second", type=float, default=50)
    parser.add_argument("--keep", action="store_true", help="write the figures to benchmarks/results/page.json")
    return parser


def _measure(installation: Installation, acts: list[str], options: Any) -> list[Seen]:
    given = {
        "steps": options.steps, "logs": options.logs, "answer": options.answer, "acts": acts,
        "seconds": options.seconds + 10, "per_second": options.per_second,
    }  # fmt: skip
    begun = time.monotonic()
    run_id = installation.start_run("bench-page", given)
    installation.wait_for_status(run_id, "waiting", "failed", within=1200)
    run = installation.run(run_id)
    assert run["status"] == "waiting", run["error"]
    sys.stdout.write(f"{run['status']}: {run['last_sequence']} events in {time.monotonic() - begun:.0f} s\n")
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=arguments)
        watcher = Watcher(browser, installation.base_url, _sign_in(browser, installation))
        return [_watch(installation, watcher, run_id, act, options.seconds) for act in acts]


def _watch(installation: Installation, watcher: Watcher, run_id: str, act: str, seconds: float) -> Seen:
    def begin() -> None:
        answer = installation.request("POST", f"/api/runs/{run_id}/signals/", json={"name": f"go {act}"})
        assert answer.status_code < 300, answer.text

    installation.wait_for_status(run_id, "waiting", within=120)
    seen = watcher.watch(act, TABS[act].format(run_id), begin, seconds)
    sys.stdout.write(f"{json.dumps(seen.as_figures())}\n")
    sys.stdout.flush()
    return seen


def _sign_in(browser: Browser, installation: Installation) -> Any:
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{installation.base_url}/runs/")
    page.get_by_label("User name").fill("admin")
    page.get_by_label("Password").fill(installation.password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/runs/")
    state = context.storage_state()
    context.close()
    return state


def _missed(one: Seen, options: Any) -> list[str]:
    checks = {
        f"first contentful paint {max(one.painted):.0f} ms, not under {PAINT}": max(one.painted) < PAINT,
        f"heap {one.heap / 2**20:.0f} MB, not under {HEAP // 2**20}": one.heap < HEAP,
        f"a task of {one.longest_task:.0f} ms, not under {TASK}": one.longest_task <= TASK,
        f"{one.frames} frames in {one.seconds:.0f} s": one.frames >= FEWEST_FRAMES * options.per_second * one.seconds,
    }
    return [what for what, is_met in checks.items() if not is_met]


def _table(found: list[Seen]) -> str:
    lines = ["| tab | first paint (ms) | longest task while streaming (ms) | at loading (ms) | heap (MB) | frames |",
             "|---|---|---|---|---|---|"]  # fmt: skip
    for one in found:
        painted = ", ".join(f"{number:.0f}" for number in one.painted)
        lines.append(
            f"| {one.tab} | {painted} | {one.longest_task:.0f} | {one.loading_task:.0f} | {one.heap / 2**20:.0f}"
            f" | {one.frames} in {one.seconds:.0f} s |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
