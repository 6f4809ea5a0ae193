"""What the model may do to find out more: both only read, and only what `examples.sources` shows."""

from typing import Annotated

from pydantic import Field

from examples.ai_agent.pages import find_passages
from examples.ai_agent.schema import Passage
from examples.sources.errors import NotShown
from examples.sources.files import PAGES, read_source
from flows.llm.tools import Tool, ToolRefused, tool

MOST_PASSAGES = 3
MOST_CHARACTERS = 20_000

Query = Annotated[str, Field(min_length=1, max_length=500)]


def tools_of(folder: str) -> list[Tool]:
    """The tools for the pages of one folder."""

    @tool
    def search_pages(query: Query) -> str:
        """Find the passages of the pages that share most words with a query.

        Args:
            query: Words to look for.
        """
        found = find_passages(folder, query, MOST_PASSAGES)
        return shown(found) or "[nothing found; use other words]"

    @tool
    def read_page(path: str) -> str:
        """Read a page.

        Args:
            path: As search_pages names it.
        """
        if not any(path.endswith(suffix) for suffix in PAGES):
            raise ToolRefused(f"{path[:200]!r} is no page", "Name one as search_pages names it.")
        try:
            return read_source(folder, path).text[:MOST_CHARACTERS]
        except NotShown as exc:
            raise ToolRefused(f"{path[:200]!r} cannot be read", "Name one as search_pages names it.") from exc

    return [search_pages, read_page]


def shown(passages: list[Passage]) -> str:
    """As Markdown, each under where it stands."""
    return "\n\n".join(f"**{one.path}**: {one.heading or 'its beginning'}\n\n{one.text}" for one in passages)
