"""What is there to look at: an empty installation, one where work goes well, and one in trouble."""

import json
from dataclasses import dataclass, field
from typing import Any

from tests.servers.installation import Installation

WITHIN = 120
UNSERVED = "night"
"""A queue that no worker serves."""
TEAM = """
from django.contrib.auth.models import Group, User
team = Group.objects.create(name="payments")
for name in ("admin", "olga", "piet"):
    User.objects.get_or_create(username=name)[0].groups.add(team)
"""
SOURCE = {
    "kind": "log",
    "label": "web.log",
    "content": "10:02 INFO started\n10:07 ERROR the pool is exhausted\n10:07 ERROR the pool is exhausted",
}
ADMIN_ROWS = """
import json
from django.contrib import admin
newest = {model._meta.label_lower: model._default_manager.order_by("-pk").first() for model in admin.site._registry}
print(json.dumps({name: row and str(row.pk) for name, row in newest.items()}))
"""
REVIEW_LOOP = "/api/flows/review-loop/start/"


@dataclass
class Place:
    """An installation, and the ids of what stands in it, by the name that addresses of pages use.

    The first token is the one that these requests are made with: there is none before the first of them.
    """

    installation: Installation
    ids: dict[str, str] = field(default_factory=dict)

    def start(self, name: str, job: str, input: dict[str, Any] | None = None, **fields: Any) -> str:
        self.ids[name] = self.installation.start_run(job, input or {}, **fields)
        self.ids["token"] = "1"
        return self.ids[name]

    def post(self, path: str, **body: Any) -> dict[str, Any]:
        answer = self.installation.request("POST", path, json=body)
        assert answer.is_success, f"{path}: {answer.status_code}: {answer.text}"
        return dict(answer.json())

    def repeat(self, name: str) -> None:
        """The run started again as `fork`, to be compared with the first."""
        self.ids |= {"other": self.ids[name], "fork": self.post(f"/api/runs/{self.ids[name]}/retrigger/")["id"]}

    def admin_rows(self) -> dict[str, str | None]:
        """By model of the admin the key of its newest row, if it has one."""
        said = self.installation.manage("shell", "-v", "0", "-c", ADMIN_ROWS).stdout
        return dict(json.loads(said.splitlines()[-1]))

    def reach(self, name: str, *statuses: str) -> None:
        self.installation.wait_for_status(self.ids[name], *statuses, within=WITHIN)


def make_installation(postgresql: bool) -> Installation:
    return Installation(
        postgresql=postgresql, PERDURE_APPS="tests.looks.looks_app", PERDURE_QUEUES="default,mail"
    ).start()


def leave_empty(place: Place) -> None:
    """Nothing but one run that no worker takes: pages of a run show one that has not begun."""


def add_one_that_waits(place: Place) -> None:
    place.start("run", "countdown", queue=UNSERVED)


def fill(place: Place) -> None:
    """Work of each kind: done, under way, and waiting for people."""
    place.start("running", "long-report", labels={"region": "north", "kind": "quarter"})
    for purpose in ("Visit to a customer", "Fair in spring"):
        place.start("asking", "expense", {"purpose": purpose})
    place.start("small", "expense", {"items": ["Coffee: 12.40"]})
    place.start("report", "repository-report")
    place.start("review", "code-review")
    place.start("coding", "coding-assistant")
    place.start("agent", "ai-agent")
    place.start("train", "release-train")
    place.start("pipeline", "pipeline", {"pipeline": "triage", "input": {"sources": [SOURCE]}})
    place.ids["run"] = place.post(REVIEW_LOOP, task="Give the export a name that says its day.")["id"]
    place.ids["flow"] = place.post(REVIEW_LOOP, task="Say in the footer who wrote it.", single_step=True)["id"]
    place.post("/api/schedules/", job="expense", input={}, name="Weekly expenses", cron="0 8 * * 1")
    place.ids["schedule"] = place.post(
        "/api/schedules/", job="countdown", input={}, name="Every hour", cron="0 * * * *"
    )["id"]
    place.ids["preset"] = place.post("/api/presets/", job="expense", name="Coffee", input={"items": ["Coffee: 3.20"]})[
        "id"
    ]
    for name in ("small", "report", "review", "coding", "agent", "pipeline", "run"):
        place.reach(name, "completed", "waiting")
    place.reach("asking", "waiting")
    place.repeat("small")
    place.installation.manage("shell", "-c", TEAM)
    place.reach("flow", "waiting")
    place.ids["step"] = _first(place, "run", "steps")["name"]
    place.ids["artifact"] = _first(place, "running", "artifacts")["name"]
    _find_question(place)


def get_into_trouble(place: Place) -> None:
    """Runs that fail alike and differently, retry, wait for a worker that is not there, and are held."""
    for number, customer in enumerate(("Acme Ltd", "Blue Harbour GmbH", "Corner & Sons"), 1):
        place.start("run", "nightly-import", {"customer": customer, "batch": number})
    place.start("small", "invoice-total")
    place.start("retrying", "slow-partner")
    place.start("running", "countdown", queue=UNSERVED)
    place.start("asking", "expense", {"items": ["Train: 1480.50"], "budget": 100})
    place.start("cancelled", "long-report")
    place.reach("cancelled", "running")
    place.post(f"/api/runs/{place.ids['cancelled']}/cancel/", reason="Started with last year's figures.")
    place.ids["step"] = "read the file"
    place.reach("run", "failed")
    place.reach("small", "failed")
    place.reach("asking", "waiting")
    place.repeat("run")
    place.reach("fork", "failed")
    place.ids["schedule"] = place.post(
        "/api/schedules/", job="nightly-import", input={}, name="Nightly import", cron="0 2 * * *"
    )["id"]
    _find_question(place)


def _first(place: Place, name: str, what: str) -> dict[str, Any]:
    path = f"/api/runs/{place.ids[name]}/{what}/"

    def look() -> dict[str, Any] | None:
        found = place.installation.request("GET", path).json()
        rows = found["results"] if isinstance(found, dict) else found
        return dict(rows[0]) if rows else None

    found: dict[str, Any] = place.installation.wait_for(look, WITHIN, path)
    return found


def _find_question(place: Place) -> None:
    installation = place.installation

    def look() -> str | None:
        found = installation.request("GET", "/api/questions/").json()["results"]
        return str(found[0]["id"]) if found else None

    place.ids["question"] = installation.wait_for(look, WITHIN, "question")
