"""How the parts of a flow fit together: what the types of its parts cannot say."""

from collections.abc import Sequence
from itertools import islice

from flows.agents.spec import Flow
from flows.agents.validation import doers, matching, names, targets, texts
from flows.agents.validation.found import Found

__all__ = ["Found", "problems_of"]

MOST_IN_TEXTS = 1000


def problems_of(flow: Flow, *, with_texts: bool = True) -> Sequence[Found]:
    """All that is wrong with a flow by itself; `with_texts` is False where a text of it could not be read."""
    found = [
        *names.problems_of(flow),
        *targets.problems_of(flow),
        *matching.problems_of(flow),
        *doers.problems_of(flow),
    ]
    return [*found, *islice(texts.problems_of(flow), MOST_IN_TEXTS)] if with_texts else found
