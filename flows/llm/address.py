"""The one setting that switches the default profile to a real vendor: `[kind+]http://host/path[#model]`."""

from typing import NamedTuple
from urllib.parse import unquote, urldefrag

from flows.llm.models import Kind


class Address(NamedTuple):
    kind: str
    base_uri: str
    model: str


def read_address(text: str) -> Address:
    """`http://localhost:11434/v1#llama3.2`, or `anthropic+https://api.anthropic.com#claude-sonnet`.

    Without a kind in front it is OpenAI's wire. Whether the address itself fits is the spec's to say.
    """
    scheme = text.partition("://")[0]
    kind, _, rest = text.partition("+") if "+" in scheme else (Kind.OPENAI.value, "", text)
    address, model = urldefrag(rest)
    return Address(kind, address, unquote(model))
