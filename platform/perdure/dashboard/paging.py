"""What an address says of a page."""

from uuid import UUID

from django.core.exceptions import BadRequest
from django.http import QueryDict


def read_text(query: QueryDict, name: str) -> str:
    """A text of the query. Raises BadRequest for one that no database takes."""
    value: str = query.get(name, "")
    if "\0" in value:
        raise BadRequest(f"{name!r} holds a null character. Leave it out.")
    return value


def read_cursor(query: QueryDict, name: str) -> UUID | None:
    """The id of the run after which a page begins. Raises BadRequest for what is no id."""
    value = query.get(name)
    if not value:
        return None
    try:
        return UUID(value)
    except ValueError as exc:
        raise BadRequest(f"{name!r} is not a run's id. Open the list of runs and page on from there.") from exc
