"""The pages about AG-UI name every address, code and setting."""

from dataclasses import fields
from pathlib import Path

from perdure.agui import errors
from perdure.agui.copilotkit import urls as copilotkit
from perdure.agui.errors import AguiError
from perdure.agui.urls import urlpatterns
from perdure.environment import AguiSettings

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"
REFERENCE = (DOCS / "reference/ag-ui.md").read_text()


def test_the_reference_names_every_code() -> None:
    codes = {kind.code for kind in AguiError.__subclasses__()} | {code for _, code in errors._OF_ENGINE.values()}
    assert {code for code in codes if f"`{code}`" not in REFERENCE} == set()


def test_the_reference_names_every_address() -> None:
    names = {pattern.name for pattern in urlpatterns if pattern.name} | {one.name for one in copilotkit.urlpatterns}
    words = {
        "run": "POST /ag-ui/run", "cancel": "DELETE /ag-ui/run/", "message": "POST /ag-ui/message",
        "stream": "GET /ag-ui/stream/", "state": "GET /ag-ui/state/", "session": "GET /ag-ui/sessions/by-thread/",
        "capabilities": "GET /ag-ui/capabilities", "threads": "GET /ag-ui/threads/", "thread": "PATCH /ag-ui/threads/",
        "info": "GET /copilotkit/info", "connect": "/copilotkit/agent/{id}/connect",
        "stop": "/copilotkit/agent/{id}/stop/", "archive": "/copilotkit/threads/{id}/archive",
        "messages": "/copilotkit/threads/{id}/messages", "events": "`/events`", "single": "POST /copilotkit",
    }  # fmt: skip
    assert names == set(words)
    assert [word for word in words.values() if word not in REFERENCE] == []


def test_the_guide_names_every_setting() -> None:
    guide = (DOCS / "howto/ag-ui.md").read_text()
    settings = [f"AG_UI_{field.name.upper()}" for field in fields(AguiSettings)]
    assert [one for one in (*settings, "AG_UI_BIND_ADDR", "STORAGE_TYPE", "REDIS_URL") if f"`{one}`" not in guide] == []
