"""What tokens cost, by the price table of the settings."""

import fnmatch
from collections.abc import Mapping

from flows.llm.conf import get_settings
from providers.replies import Usage

MILLION = 1_000_000


def cost_of(model: str, usage: Usage) -> float | None:
    """In the currency of the price table; None for a model that it does not name.

    Of several patterns that fit, the longest counts. Cached tokens cost as others where no price is given for them.
    """
    price = _price_of(model)
    if price is None:
        return None
    plain = usage.input_tokens - usage.cached_tokens
    cached = price.get("cached", price["input"])
    total = plain * price["input"] + usage.cached_tokens * cached + usage.output_tokens * price["output"]
    return round(total / MILLION, 10)


def _price_of(model: str) -> Mapping[str, float] | None:
    prices = get_settings().prices
    fitting = [pattern for pattern in prices if fnmatch.fnmatchcase(model, pattern)]
    return prices[max(fitting, key=len)] if fitting else None
