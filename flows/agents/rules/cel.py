"""`when(...)`: expressions of CEL, a language without loops, names of Python or side effects.

https://github.com/google/cel-spec
"""

from collections.abc import Mapping
from typing import Any

import cel


def evaluate(expression: str, names: Mapping[str, Any]) -> bool:
    """Whether the expression is true of these names. Raises what the library raises."""
    return cel.evaluate(expression, dict(names)) is True
