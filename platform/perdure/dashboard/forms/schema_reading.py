"""Reading JSON Schema as pydantic and people write it."""

from typing import Any

Schema = dict[str, Any]

MAX_REFERENCES = 20


def resolve(part: Schema, root: Schema) -> Schema:
    """`part` with its `$ref` followed and `X | None` opened; `"optional": True` marks the latter.

    What stands beside a reference (title, description, default) wins over what it points to.
    """
    for _ in range(MAX_REFERENCES):
        if "$ref" in part:
            beside = {key: value for key, value in part.items() if key != "$ref"}
            part = _target(part["$ref"], root) | beside
        elif len(part.get("allOf", [])) == 1:
            part = {**{key: value for key, value in part.items() if key != "allOf"}, **part["allOf"][0]}
        elif (inner := _not_null(part)) is not None:
            part = inner | {key: value for key, value in part.items() if key not in ("anyOf", "oneOf")}
            part = part | {"optional": True}
        elif (kind := _kind_or_null(part)) is not None:
            part = part | {"type": kind, "optional": True}
        else:
            break
    return part


def is_plain_object(part: Schema) -> bool:
    """An object of named properties, which a form can show."""
    return part.get("type") == "object" and "properties" in part and not part.get("additionalProperties")


def values_of_map(part: Schema) -> Schema | None:
    """The schema of the values of an object whose keys people choose; None for another one, or values of any kind."""
    inner = part.get("additionalProperties")
    is_map = part.get("type") == "object" and not part.get("properties") and isinstance(inner, dict)
    return inner or None if is_map else None


def items_of(part: Schema) -> Schema | None:
    """The schema of the items of a list; None for another part, or for items of any kind or by place."""
    items = part.get("items")
    is_list = part.get("type") == "array" and "prefixItems" not in part
    return items or None if is_list and isinstance(items, dict) else None


def internal_of(schema: Schema) -> set[str]:
    """The names of the input's properties that code alone fills in."""
    return {name for name, part in resolve(schema, schema).get("properties", {}).items() if part.get("internal")}


def choices_of(part: Schema) -> list[Any] | None:
    """The values to choose from, for an enum, a constant, or a union of constants."""
    if "const" in part:
        return [part["const"]]
    if isinstance(part.get("enum"), list):
        return [value for value in part["enum"] if value is not None]
    union = part.get("anyOf") or part.get("oneOf") or []
    if union and all("const" in option for option in union):
        return [option["const"] for option in union]
    return None


def is_secret(part: Schema) -> bool:
    """Whether pages must not show its value again."""
    return part.get("format") == "password" or bool(part.get("writeOnly"))


def _not_null(part: Schema) -> Schema | None:
    options = part.get("anyOf") or part.get("oneOf") or []
    others = [option for option in options if option.get("type") != "null"]
    return others[0] if len(options) == 2 and len(others) == 1 else None


def _kind_or_null(part: Schema) -> str | None:
    kinds = part.get("type")
    others = [kind for kind in kinds if kind != "null"] if isinstance(kinds, list) else []
    return str(others[0]) if len(others) == 1 else None


def _target(reference: str, root: Schema) -> Schema:
    found: Any = root
    for key in str(reference).removeprefix("#/").split("/"):
        found = found.get(key.replace("~1", "/").replace("~0", "~"), {}) if isinstance(found, dict) else {}
    return found if isinstance(found, dict) else {}
