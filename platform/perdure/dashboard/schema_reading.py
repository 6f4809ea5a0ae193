"""Reading JSON Schema as pydantic writes it."""

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
            part = inner | {key: value for key, value in part.items() if key != "anyOf"} | {"optional": True}
        else:
            break
    if part.get("type") == "array" and isinstance(part.get("items"), dict):
        return part | {"items": resolve(part["items"], root)}
    return part


def is_plain_object(part: Schema) -> bool:
    """An object of named properties, which a form can show."""
    return part.get("type") == "object" and "properties" in part and not part.get("additionalProperties")


def internal_of(schema: Schema) -> set[str]:
    """The names of the input's properties that code alone fills in."""
    return {name for name, part in resolve(schema, schema).get("properties", {}).items() if part.get("internal")}


def choices_of(part: Schema) -> list[Any] | None:
    """The values to choose from, for an enum, a constant, or a union of constants."""
    if "const" in part:
        return [part["const"]]
    if "enum" in part:
        return list(part["enum"])
    union = part.get("anyOf") or part.get("oneOf") or []
    if union and all("const" in option for option in union):
        return [option["const"] for option in union]
    return None


def _not_null(part: Schema) -> Schema | None:
    options = part.get("anyOf") or []
    others = [option for option in options if option.get("type") != "null"]
    return others[0] if len(options) == 2 and len(others) == 1 else None


def _target(reference: str, root: Schema) -> Schema:
    found: Any = root
    for key in reference.removeprefix("#/").split("/"):
        found = found.get(key.replace("~1", "/").replace("~0", "~"), {})
    return found if isinstance(found, dict) else {}
