"""`/_control/...`: scripts the vendor and tells what it was asked. No vendor has this."""

from dataclasses import asdict
from urllib.parse import parse_qs

from tests.vendors.connection import Request, Response, answer_json
from tests.vendors.playing import State
from tests.vendors.script import Script

METHODS = {"script": "POST", "reset": "POST", "open": "POST", "calls": "GET", "stats": "GET"}


def control(state: State, request: Request) -> Response:
    name = request.path.removeprefix("/_control/").strip("/")
    if METHODS.get(name) != request.method:
        return answer_json(404, {"error": f"there is: {', '.join(f'{verb} {path}' for path, verb in METHODS.items())}"})
    if name == "script":
        return _script(state, request)
    if name == "reset":
        reset(state)
    if name == "open":
        state.gates[request.json()["gate"]].set()
    if name == "calls":
        after = int(parse_qs(request.query).get("after", ["0"])[0])
        return answer_json(200, [asdict(call) for call in state.ledger.calls[after:]])
    return answer_json(200, state.ledger.stats())


def reset(state: State) -> None:
    """Answers under way go on, and are counted no more: whoever waits at a gate is let through."""
    for gate in state.gates.values():
        gate.set()
    fresh = State()
    state.ledger, state.script, state.gates = fresh.ledger, fresh.script, fresh.gates


def _script(state: State, request: Request) -> Response:
    """A list of rules in place of those before; `{"rules": [...], "append": true}` adds them at the end."""
    try:
        given = request.json()
        rules = given["rules"] if isinstance(given, dict) else given
        script = Script.read(rules)
    except (ValueError, KeyError) as error:
        return answer_json(400, {"error": f"no script: {error}"})
    if isinstance(given, dict) and given.get("append"):
        state.script.rules += script.rules
    else:
        state.script = script
    return answer_json(200, {"rules": len(state.script.rules)})
