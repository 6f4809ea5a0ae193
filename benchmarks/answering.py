"""The other end of `benchmarks.programs`. Standard library alone: peers' programs use it in their own environments."""

import json
import sys
from collections.abc import Callable
from typing import Any


def answer_all(functions: dict[str, Callable[..., Any]]) -> None:
    """Call what each line of standard input asks for, until that ends; libraries may print other lines."""
    for line in sys.stdin:
        asked = json.loads(line)
        found = functions[asked.pop("what")](**asked)
        sys.stdout.write(f"answer: {json.dumps(found)}\n")
        sys.stdout.flush()
