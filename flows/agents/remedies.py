"""What a document of the wrong shape is told, in words of those who write one."""

from typing import Any, Final

from flows.documents.shapes import Misfit

_NAMES: Final = {
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "a text",
    list: "a list",
    dict: "a mapping",
}
_WANTED: Final = {
    "string_type": "a text", "int_type": "a whole number", "int_parsing": "a whole number", "int_from_float":
    "a whole number", "float_type": "a number", "float_parsing": "a number", "bool_type": "true or false",
    "bool_parsing": "true or false", "tuple_type": "a list", "list_type": "a list", "dict_type": "a mapping",
    "model_type": "a mapping", "model_attributes_type": "a mapping",
}  # fmt: skip
_SHAPES: Final = {
    "a text": "Write a text; one that looks like something else stands in quotes.",
    "a whole number": "Write a number without quotes.", "a number": "Write a number without quotes.",
    "true or false": "Write true or false.", "a list": "Write a list, each entry after a dash.",
    "a mapping": "Write keys and values, as in `name: plan`.",
}  # fmt: skip
_REMEDIES: Final = {
    "missing": "Add it.", "extra_forbidden": "Correct its name, or remove it.", "enum": "Use one of these.",
    "literal_error": "Use one of these.", "too_short": "Add at least one.", "too_long": "Use fewer.",
    "string_too_short": "Write something.", "string_too_long": "Make it shorter.",
}  # fmt: skip


_OF_DOCUMENTS: Final = {
    "this is no valid YAML": "Correct the YAML: look at quotes, brackets, and how far lines are moved in.",
    "the document is empty": "Write `name` and `steps`.",
    "an agent flow is a mapping": "Begin with `name:` and `steps:`.",
    "the key ": "Keep one of them.",
    "the document is ": "Make it shorter and flatter: long texts may stand in files.",
    "the document has ": "Make it shorter and flatter.",
}  # fmt: skip


def of_document(message: str) -> str:
    """The remedy for what is no document at all."""
    found = next((remedy for begin, remedy in _OF_DOCUMENTS.items() if message.startswith(begin)), None)
    return found or "Write it as JSON would have it: texts, numbers, lists and mappings."


def told(misfit: Misfit) -> tuple[str, str]:
    """The message and the remedy."""
    wanted = _WANTED.get(misfit.kind)
    if misfit.place[-1:] == ("max_steps",):
        return _message(misfit), "Write a number from 1 on, or `infinite`."
    if wanted is not None:
        return _message(misfit), _SHAPES[wanted]
    if misfit.kind == "string_pattern_mismatch":
        remedy = "Use letters, digits, _ and -, and begin with a letter or digit; names of steps may hold spaces."
        return f"{str(misfit.given)[:60]!r} is no name that may stand here", remedy
    if misfit.kind == "too_short":
        return "this is empty", _REMEDIES["too_short"]
    if misfit.kind.startswith(("greater_than", "less_than")):
        return _message(misfit), "Give a number in that range."
    if misfit.kind == "too_long":
        told = misfit.message.partition(" ")[2].replace(" after validation", "")
        return f"this {told}", _REMEDIES["too_long"]
    return _message(misfit), _REMEDIES.get(misfit.kind, "See its key in docs/howto/agent-flows.md.")


def _message(misfit: Misfit) -> str:
    if misfit.kind in _WANTED:
        return f"this must be {_WANTED[misfit.kind]}, and it is {_shown(misfit.given)}"
    return misfit.message.replace("input should be", "this must be", 1)


def _shown(given: Any) -> str:
    return "empty" if given is None else _NAMES.get(type(given), "something else")
