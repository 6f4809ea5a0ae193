"""The scenarios that apps bring along: how the scripted provider answers their jobs before anybody names a vendor."""

from functools import cache
from pathlib import Path
from typing import Any

from django.apps import apps

from providers.errors import BadRequest
from providers.scripted.scenario import load

FOLDER = "scenarios"


def files() -> list[Path]:
    """`<app>/scenarios/*.yaml` of the installed apps, in the order of the apps and of the names."""
    return [path for app in apps.get_app_configs() for path in sorted(Path(app.path, FOLDER).glob("*.yaml"))]


@cache
def of_apps() -> dict[str, Any]:
    """Their rules, one file's behind the other's; a file that is not valid brings none (llm.E005 says why)."""
    rules: list[Any] = []
    for path in files():
        try:
            rules += load(str(path)).model_dump(mode="json", by_alias=True, exclude_unset=True).get("rules", [])
        except BadRequest:
            continue
    return {"rules": rules}
