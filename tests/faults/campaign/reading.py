"""What a program must come to, read off it without any engine."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from zlib import crc32

from tests.faults.campaign.programs import Op, Program


def mix(so_far: int, text: object) -> int:
    """The value after a step: it depends on every value before it, so a wrong replay shows at the end."""
    return crc32(f"{so_far}:{text}".encode())


@dataclass
class Reading:
    """What must have happened when a program has completed, its children's part included."""

    output: int = 0
    calls: Counter[tuple[str, str]] = field(default_factory=Counter)
    """At least so many calls of (program, step)."""
    effects: set[tuple[str, str]] = field(default_factory=set)
    """Transactional steps: one row each."""
    signals: list[tuple[str, str, int]] = field(default_factory=list)
    """(program, signal, payload), in the order of sending."""
    children: set[str] = field(default_factory=set)


def read(program: Program) -> Reading:
    """Interpret the program purely."""
    found = Reading()
    found.output = _line(found, program["key"], program["ops"], 0)
    return found


def payload_of(key: str, name: str) -> int:
    """What the signal for this wait says."""
    return mix(0, f"signal {key} {name}")


def programs_in(program: Program) -> Iterator[Program]:
    """The program and its children's."""
    yield program
    for op in program["ops"]:
        if "program" in op:
            yield from programs_in(op["program"])


def _line(found: Reading, key: str, ops: list[Op], value: int) -> int:
    for op in ops:
        value = _op(found, key, op, value)
    return value


def _op(found: Reading, key: str, op: Op, value: int) -> int:
    match op["op"]:
        case "sleep":
            return value
        case "signal":
            payload = payload_of(key, op["name"])
            found.signals.append((key, op["signal"], payload))
            return mix(value, payload)
        case "child":
            program = op["program"]
            found.children.add(program["key"])
            return mix(value, _line(found, program["key"], program["ops"], 0))
        case "call_off" | "signal_timeout" | "hopeless" | "doomed" | "collapse":
            return _called_off(found, key, op, value)
        case "map" | "gather" | "race":
            return mix(value, _branches(found, key, op, value))
        case _:
            return _step(found, key, op, value)


def _step(found: Reading, key: str, op: Op, value: int) -> int:
    if op["op"] == "transaction":
        found.effects.add((key, op["name"]))
    return _called(found, key, op["name"], value, op.get("failures", 0) + 1)


def _called_off(found: Reading, key: str, op: Op, value: int) -> int:
    if op["op"] in ("hopeless", "call_off"):
        # a timeout of the program's own may be over before the call has begun
        found.calls[key, op["name"]] += 2 if op["op"] == "hopeless" else 0
    if op["op"] == "collapse":
        _what_collapses(found, key, op)
    return mix(value, f"{op['name']} called off")


def _what_collapses(found: Reading, key: str, op: Op) -> None:
    """Its run fails; how far the other branches come until then is open."""
    aside = Reading()
    for branch in op["branches"]:
        _line(aside, key, branch, 0)
    found.calls.update(dict.fromkeys([*aside.calls, (key, f"{op['name']}-fails")], 0))


def _branches(found: Reading, key: str, op: Op, value: int) -> list[object]:
    name = op["name"]
    if op["op"] == "map":
        return [_called(found, key, f"{name}[{index}]", value) for index in range(op["count"])]
    if op["op"] == "race":
        return ["quick", _called(found, key, f"{name}-quick", value)]
    return [_line(found, key, branch, value) for branch in op["branches"]]


def _called(found: Reading, key: str, name: str, value: int, times: int = 1) -> int:
    found.calls[key, name] += times
    return mix(value, name)
