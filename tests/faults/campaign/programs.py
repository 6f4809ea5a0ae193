"""Random programs for the campaign's job: plain JSON, made from a seed, so that a failing one can be made again."""

import random
from typing import Any, Final

Op = dict[str, Any]
Program = dict[str, Any]

SHARED_SIGNAL: Final = "go"
"""What the waits of a program's own line take, in order; waits in branches have a signal to themselves."""

_KINDS: Final = {
    "step": 8, "plain_step": 3, "flaky": 3, "stream": 4, "sleep": 2, "signal": 4, "signal_timeout": 1, "child": 2,
    "map": 2, "gather": 2, "race": 1, "call_off": 1, "transaction": 5, "hopeless": 1, "doomed": 1,
}  # fmt: skip
_IN_BRANCH: Final = ("step", "plain_step", "flaky", "stream", "sleep", "signal", "transaction")
_IN_SYNC: Final = ("plain_step", "flaky", "sleep", "signal", "child", "transaction")

_MS: Final = (0, 0, 1, 10, 80, 300)
_NUMBERS: Final[dict[str, dict[str, tuple[int, ...]]]] = {
    "step": {"ms": _MS},
    "plain_step": {"ms": _MS},
    "transaction": {"ms": _MS},
    "flaky": {"ms": (0, 50), "failures": (1, 2, 3)},
    "stream": {"frames": (2, 5, 10, 25), "ms": (40,), "every": (1, 2, 5, 8)},
    "sleep": {"ms": (50, 400, 1500)},
    "signal_timeout": {"ms": (50, 400, 1500)},
    "map": {"count": (2, 4, 8), "ms": (5, 60, 200), "concurrency": (1, 3)},
    "race": {"ms": (20, 400)},
    "call_off": {"ms": (200,)},
    "collapse": {"ms": (1, 30, 200, 600)},
}

FATES: Final = {"complete": 14, "cancel": 3, "pause": 2, "retry": 2}
"""What people do to a run: nothing, cancel it, pause and resume it, retry it after its last step has failed it."""


def make_program(seed: int, number: int) -> Program:
    """Program `number` of a campaign: {key, sync, fate, act_after (seconds), ops}."""
    chance = random.Random(f"{seed}:{number}")
    fate = chance.choices(list(FATES), list(FATES.values()))[0]
    program = _program(chance, str(number), depth=0, size=chance.randint(3, 9))
    program |= {"fate": fate, "act_after": round(chance.uniform(0.2, 6), 2)}
    if fate == "retry":
        program["ops"].append({"op": "gated", "name": "gated"})
    return program


def _program(chance: random.Random, key: str, depth: int, size: int) -> Program:
    sync = chance.random() < 0.2
    kinds = {name: weight for name, weight in _KINDS.items() if not sync or name in _IN_SYNC}
    if depth >= 2:
        kinds = {name: weight for name, weight in kinds.items() if name not in ("child", "doomed")}
    names = chance.choices(list(kinds), list(kinds.values()), k=size)
    ops = [_op(chance, kind, f"{kind}-{place}", key, depth) for place, kind in enumerate(names)]
    return {"key": key, "sync": sync, "ops": ops}


def _op(chance: random.Random, kind: str, name: str, key: str, depth: int) -> Op:
    op: Op = {"op": kind, "name": name}
    op |= {number: chance.choice(choices) for number, choices in _NUMBERS.get(kind, {}).items()}
    match kind:
        case "signal":
            op["signal"] = SHARED_SIGNAL if name.count(".") == 0 else name
        case "child":
            op["program"] = _program(chance, f"{key}/{name}", depth + 1, chance.randint(1, 4))
        case "doomed":
            collapse = _op(chance, "collapse", "collapse", f"{key}/{name}", depth)
            op["program"] = {"key": f"{key}/{name}", "sync": False, "ops": [collapse]}
        case "gather" | "collapse":
            op["branches"] = [
                [_op(chance, chance.choice(_IN_BRANCH), f"{name}.{branch}.{place}", key, depth) for place in range(2)]
                for branch in range(chance.randint(2, 3))
            ]
    return op
