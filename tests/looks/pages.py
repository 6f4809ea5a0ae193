"""The pages that people open: each address of the dashboard is a page here, or says why it is none."""

from dataclasses import dataclass

from django.contrib.admin.utils import quote
from django.urls import URLPattern, reverse

from perdure.dashboard.urls import urlpatterns

RUN = "run"
"""Pages of one run are shown for each of these that a state has."""
OF_A_RUN = ("run", "running", "asking", "flow", "small", "report", "review", "coding", "agent", "train", "pipeline",
            "retrying", "cancelled")  # fmt: skip
OVERVIEWS = OF_A_RUN
"""Whose first page is looked at; of the other tabs it is `run`'s alone, and those of `MORE`."""
MORE = {"run-conversation": ("agent", "running"), "run-graph": ("flow", "pipeline"), "run-tree": ("train",),
        "run-timeline": ("retrying", "report"), "run-files": ("running",), "run-questions": ("asking",),
        "run-state": ("running",)}  # fmt: skip
NO_PAGES = {
    "run-bulk": "an action",
    "run-export": "a download",
    "run-list-rows": "what the page's script reads",
    "run-view-save": "an action",
    "run-view-delete": "an action",
    "usage-export": "a download",
    "team-add": "an action",
    "team-remove": "an action",
    "run-flow-continue": "an action",
    "run-flow-stepping": "an action",
    "run-flow-tell": "an action",
    "run-timeline-rows": "what the page's script reads",
    "run-steps-rows": "what the page's script reads",
    "inbox-count": "what every page's script reads",
    "question-comment": "an action",
    "question-delegate": "an action",
    "question-withdraw": "an action",
    "schedule-pause": "an action",
    "schedule-resume": "an action",
    "schedule-run": "an action",
    "preset-start": "an action",
}
KINDS = ("run", "other", "question", "schedule", "preset", "token")
"""Things that have pages: the ids that a state keeps."""
QUERIES = {"run-step": ("run", "step"), "run-artifact": ("running", "artifact")}
"""Pages of a thing of a run: which run, and where a state keeps the thing's name."""
OF_SOME = ("run-graph",)
"""Tabs that not every run has: those of `MORE` alone are looked at."""
NAMES = {"start": ("expense", "release-train"), "flow": ("review-loop",), "pipeline": ("triage",),
         "schedule-new": ("expense",), "schedule-new-flow": ("review-loop",)}  # fmt: skip
OUTSIDE = {
    "sign-in": "/sign-in/",
    "once": "/sign-in/once/used/",
    "missing": "/runs/00000000-0000-0000-0000-000000000000/",
    "admin": "/admin/",
    "admin-clean-up": "/admin/runs/run/clean-up",
    "admin-invariants": "/admin/runs/run/invariants",
}
OPERATORS = ("runs.run", "runs.worker", "runs.queue", "runs.schedule", "hitl.question", "llm.providerprofile")
"""Models whose pages in the admin are looked at in each state; those of the others only where there is most."""
FORMS = ("runs.queue", "runs.rollout", "llm.providerprofile", "pipelines.pipelinedefinition", "agents.flowdefinition",
         "accounts.apitoken", "auth.user", "auth.group", "hitl.mailchoice", "dashboard.savedview")  # fmt: skip


@dataclass(frozen=True)
class Look:
    """One page of one state: `name` is the name of its picture."""

    name: str
    path: str


def looks(ids: dict[str, str]) -> list[Look]:
    """Every page that the ids of a state allow."""
    found = [Look(name, path) for name, path in OUTSIDE.items()]
    for pattern in _routes():
        found += _of(pattern, ids)
    return found


def of_admin(rows: dict[str, str | None]) -> list[Look]:
    """The list of each model, the page of its newest row, and the form that adds one."""
    found = []
    for model, newest in rows.items():
        name, path = f"admin-{model}", f"/admin/{model.replace('.', '/')}/"
        found.append(Look(name, path))
        if newest is not None:
            found.append(Look(f"{name}-change", f"{path}{quote(newest)}/change/"))
        if model in FORMS:
            found.append(Look(f"{name}-add", f"{path}add/"))
    return found


def is_for_operators(look: Look) -> bool:
    return look.name.removeprefix("admin-").removesuffix("-change").removesuffix("-add") in OPERATORS


def unknown() -> list[str]:
    """Routes with arguments of which nobody said how to look at them."""
    return [str(route.name) for route in _routes() if route.name not in NO_PAGES and not _known(route)]


def _routes() -> list[URLPattern]:
    return [pattern for pattern in urlpatterns if isinstance(pattern, URLPattern)]


def _arguments(pattern: URLPattern) -> list[str]:
    return list(pattern.pattern.converters)


def _known(pattern: URLPattern) -> bool:
    arguments = _arguments(pattern)
    return all(argument.removesuffix("_id") in KINDS for argument in arguments) or str(pattern.name) in NAMES


def _of(pattern: URLPattern, ids: dict[str, str]) -> list[Look]:
    name, arguments = str(pattern.name), _arguments(pattern)
    if name in NO_PAGES:
        return []
    if name in NAMES:
        return [_look(name, value, value) for value in NAMES[name]]
    match arguments:
        case []:
            return [_look(name)]
        case ["run_id"] if name in QUERIES:
            run, kind = QUERIES[name]
            return [_look(name, ids[run], query={"name": ids[kind]})] if kind in ids else []
        case ["run_id"]:
            return [_look(name, ids[run], run) for run in _runs_for(name) if run in ids]
        case ["run_id", "other_id"]:
            pair = [ids[one] for one in ("other", "fork") if one in ids]
            return [Look(name, reverse(f"dashboard:{name}", args=pair))] if len(pair) == 2 else []
        case [argument]:
            kind = argument.removesuffix("_id")
            return [_look(name, ids[kind])] if kind in ids else []
        case _:
            return []


def _runs_for(name: str) -> tuple[str, ...]:
    if name == RUN:
        return OVERVIEWS
    return MORE[name] if name in OF_SOME else ("run", *MORE.get(name, ()))


def _look(name: str, argument: str | None = None, of: str = "", query: dict[str, str] | None = None) -> Look:
    path = reverse(f"dashboard:{name}", args=[argument] if argument else [], query=query)
    return Look(f"{name}-{of}" if of else name, path)
