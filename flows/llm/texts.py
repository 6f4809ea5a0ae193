"""Text of models as the database takes it."""

import json
from typing import Any


def storable(text: str) -> str:
    """Without NUL; halves of a character that came in two pieces are put together, a lone half is replaced."""
    if "\0" in text:
        text = text.replace("\0", "\ufffd")
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def storable_json(value: Any) -> Any:
    """The same for every text of a JSON value, keys too."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {storable(str(key)): storable_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [storable_json(item) for item in value]
    return value


def size_of(text: str) -> int:
    """Bytes of `text` in a recorded value."""
    return len(json.dumps(text, ensure_ascii=False).encode("utf-8", "replace")) - 2
