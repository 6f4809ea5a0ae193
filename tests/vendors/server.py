"""The server: which path is which wire's, and one call after another on each connection."""

import asyncio
import re
from dataclasses import replace
from types import ModuleType
from typing import cast

from tests.vendors import anthropic, ollama, openai
from tests.vendors.answers import compose
from tests.vendors.connection import BadRequest, Client, Request, Response, answer_json
from tests.vendors.control import control
from tests.vendors.playing import HungUp, Play, State
from tests.vendors.prompts import BadBody, Prompt
from tests.vendors.script import DEFAULT, Script
from tests.vendors.wires import OPENED_AT, Wire

MODELS = ["model-one", "model-two"]
"""Named by the lists of models; every other name is answered for too."""

CALLS: dict[str, tuple[ModuleType, str]] = {
    "/v1/chat/completions": (openai, "chat"),
    "/v1/embeddings": (openai, "embeddings"),
    "/v1/images/generations": (openai, "images"),
    "/v1/messages": (anthropic, "chat"),
    "/v1/messages/count_tokens": (anthropic, "count_tokens"),
    "/api/chat": (ollama, "chat"),
    "/api/embed": (ollama, "embeddings"),
}
LISTS = {"/v1/models", "/api/tags", "/api/version", "/"}


class Vendor:
    """All state is in this process's one event loop: what is counted is exact."""

    def __init__(self, script: Script | None = None) -> None:
        self.state = State(script=script or Script())

    async def listen(self, port: int) -> asyncio.Server:
        loop = asyncio.get_running_loop()
        return await loop.create_server(lambda: Client(self.serve), "127.0.0.1", port, backlog=1024)

    async def serve(self, client: Client) -> None:
        try:
            while request := await client.next_request():
                await self._answer(client, request)
                if not request.keeps_alive:
                    return
        except HungUp:
            return
        except BadRequest as error:
            refused = Request("GET", "", "", {}, b"")
            await client.respond(answer_json(400, {"error": str(error)}, connection="close"), to=refused)

    async def _answer(self, client: Client, request: Request) -> None:
        # `/ollama/v1/...` is OpenAI's wire as Ollama speaks it: a prefix tells whose server it is
        found = re.fullmatch(r"(?:/(openai|ollama|anthropic))?(/.*)", request.path)
        brand, path = found.groups() if found else ("", "")
        if request.path.startswith("/_control/"):
            await client.respond(control(self.state, request), to=request)
        elif path in CALLS and request.method == "POST":
            await self._call(client, request, brand or "", path)
        else:
            await client.respond(_other(request, path), to=request)

    async def _call(self, client: Client, request: Request, brand: str, path: str) -> None:
        module, operation = CALLS[path]
        wire = cast("Wire", module)
        key = _key(request)
        try:
            prompt = wire.read(operation, request.json())
        except (BadBody, ValueError, KeyError, TypeError, AttributeError) as error:
            nothing = Prompt(module.__name__, operation, "", {})
            await client.respond(answer_json(400, wire.error("bad_request", nothing, f"{error}")), to=request)
            return
        prompt = replace(prompt, wire=brand or prompt.wire, key_shown=f"{key[:3]}***{key[-4:]}")
        if brand == "ollama" and prompt.role == "assistant":
            # Ollama goes on after it on both of its wires, and needs no word for that
            prompt = replace(prompt, prefill=prompt.turns[-1].text)
        if operation == "count_tokens":
            await client.respond(answer_json(200, wire.whole(prompt, compose(prompt, DEFAULT))), to=request)
            return
        await self._play(client, request, wire, prompt, key)

    async def _play(self, client: Client, request: Request, wire: Wire, prompt: Prompt, key: str) -> None:
        ledger = self.state.ledger
        rule = self.state.script.choose(prompt)
        call = ledger.begin(prompt, request.path, key)
        client.on_gone = lambda: ledger.end(call, "abandoned")
        try:
            await Play(client, request, wire, prompt, call, rule, replace(self.state)).run()
        finally:
            client.on_gone = None
            ledger.end(call, "abandoned")


def _key(request: Request) -> str:
    bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
    return request.headers.get("x-api-key") or bearer


def _other(request: Request, path: str) -> Response:
    is_read = request.method in ("GET", "HEAD")
    if path in LISTS and is_read:
        return _list(request, path)
    if path in CALLS or path in LISTS:
        allowed = "POST" if path in CALLS else "GET, HEAD"
        return answer_json(405, {"error": {"message": f"{request.method} is not allowed here"}}, allow=allowed)
    return answer_json(404, {"error": {"message": f"Invalid URL ({request.method} {request.path})",
                                       "type": "invalid_request_error", "param": None, "code": None}})  # fmt: skip


def _list(request: Request, path: str) -> Response:
    if path == "/api/tags":
        return answer_json(200, ollama.tags(MODELS))
    if path == "/api/version":
        return answer_json(200, {"version": "0.40.12"})
    if path == "/":
        return Response(200, b"Ollama is running", {"content-type": "text/plain"})
    if "anthropic-version" in request.headers:
        found = [{"type": "model", "id": name, "display_name": name, "created_at": "2026-05-28T00:00:00Z"}
                 for name in MODELS]  # fmt: skip
        return answer_json(200, {"data": found, "has_more": False, "first_id": MODELS[0], "last_id": MODELS[-1]})
    named = [{"id": name, "object": "model", "created": OPENED_AT, "owned_by": "tests"} for name in MODELS]
    return answer_json(200, {"object": "list", "data": named})
