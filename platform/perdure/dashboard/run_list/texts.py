"""Search for words in what a list shows of a run, and in its input."""

import json

from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

from runs.models import Run

_PLAIN = ("job", "reason", "concurrency_key", "idempotency_key")
_JSON = ("input", "labels", "error", "progress")


def holds_text(runs: QuerySet[Run], text: str) -> QuerySet[Run]:
    """Those of `runs` in whose job, reason, keys, labels, input, error or progress the text stands, in any case.

    An input that holds secrets is not searched: whoever may see the run could find them out letter by letter.
    """
    found = Q(pk=_as_id(text)) if _as_id(text) else Q()
    for name in _PLAIN:
        found |= Q(**{f"{name}__icontains": text})
    for name in _JSON:
        runs = runs.alias(**{f"_{name}_text": Cast(name, TextField())})
        holds = Q()
        for written in _as_written(text):
            holds |= Q(**{f"_{name}_text__icontains": written})
        found |= holds & Q(secrets={}) if name == "input" else holds
    return runs.filter(found)


def _as_written(text: str) -> set[str]:
    """The text as it stands inside JSON, which a database keeps with its letters or as numbers of them."""
    return {json.dumps(text, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False)}


def _as_id(text: str) -> str:
    plain = text.lower().replace("-", "")
    return text if len(plain) == 32 and all(letter in "0123456789abcdef" for letter in plain) else ""
