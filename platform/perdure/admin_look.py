"""How the admin looks: colours of the pages, the bar at the side, and the operators' page at its start."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy

BASE = {
    "50": "#f7f7f8", "100": "#f2f2f4", "200": "#e3e4e8", "300": "#d0d2d8", "400": "#a3a9b5", "500": "#5a5f6b",
    "600": "#4c5261", "700": "#3d4148", "800": "#2b2e34", "900": "#191b1f", "950": "#111315",
}  # fmt: skip
PRIMARY = {
    "50": "#eff9f6", "100": "#e0f2ed", "200": "#b5e3d7", "300": "#86d1bf", "400": "#55c9b0", "500": "#35ab93",
    "600": "#0b6455", "700": "#0a5649", "800": "#09473c", "900": "#083a32", "950": "#06231d",
}  # fmt: skip


def _may(permission: str) -> Callable[[HttpRequest], bool]:
    def check(request: HttpRequest) -> bool:
        return bool(request.user.has_perm(permission))

    return check


def _entry(title: str, icon: str, model: str) -> dict[str, Any]:
    """`model` as in `runs.run`. Icons are names of Material Symbols, which the theme brings along."""
    app, name = model.split(".")
    link = reverse_lazy(f"admin:{app}_{name}_changelist")
    return {"title": title, "icon": icon, "link": link, "permission": _may(f"{app}.view_{name}")}


def _group(title: str, *items: dict[str, Any]) -> dict[str, Any]:
    return {"title": title, "separator": True, "items": list(items)}


def _operators() -> list[dict[str, Any]]:
    return [
        {"title": "Overview", "icon": "monitoring", "link": reverse_lazy("admin:index")},
        _entry("Runs", "list", "runs.run"),
        _entry("Workers", "dns", "runs.worker"),
        _entry("Queues", "stacks", "runs.queue"),
        _entry("Rollouts", "rocket_launch", "runs.rollout"),
        _entry("Schedules", "calendar_month", "runs.schedule"),
        _entry("Questions", "help", "hitl.question"),
    ]


NAVIGATION = [
    {"items": _operators()},
    _group(
        "Models and definitions",
        _entry("Provider profiles", "hub", "llm.providerprofile"),
        _entry("Pipelines", "account_tree", "pipelines.pipelinedefinition"),
        _entry("Flows", "route", "agents.flowdefinition"),
    ),
    _group(
        "People",
        _entry("People", "person", "auth.user"),
        _entry("Teams", "group", "auth.group"),
        _entry("API tokens", "key", "accounts.apitoken"),
    ),
    _group(
        "Records",
        _entry("Audit", "history", "runs.audit"),
        _entry("Events", "bolt", "runs.event"),
        _entry("Usage by hour", "bar_chart", "runs.usagehour"),
    ),
]

UNFOLD = {
    "SITE_TITLE": "Perdure",
    "SITE_HEADER": "Perdure",
    "SITE_SUBHEADER": "Admin",
    "SITE_URL": reverse_lazy("dashboard:home"),
    "SITE_ICON": lambda request: static("dashboard/icon.svg"),
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("dashboard/icon.svg")},
    ],
    "STYLES": [lambda request: static("dashboard/admin.css")],
    "SCRIPTS": [lambda request: static("dashboard/admin.js")],
    "COLORS": {"base": BASE, "primary": PRIMARY},
    "DASHBOARD_CALLBACK": "perdure.dashboard.operations.admin_home.fill",
    "SIDEBAR": {"show_search": True, "show_all_applications": True, "navigation": NAVIGATION},
}
