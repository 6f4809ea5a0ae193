"""Where a model is reached."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from providers.errors import BadRequest

Kind = Literal["openai", "ollama", "anthropic", "scripted"]


class Endpoint(BaseModel):
    """`timeout_seconds`: the longest silence on the wire, before the first piece and between any two.

    `base_url`: empty for the vendor's own address. For kind `scripted` an http(s) base_url makes it the OpenAI wire
    there: one field switches from the scripted provider to a real one.
    `extra`: for `scripted` its `scenario` (a path, or the scenario itself); for vendors: `headers` to send with each
    call, and `body`, fields to add to each request.
    The key shows in no repr, str or error.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind
    base_url: str = Field(default="", pattern=r"^(https?://\S+)?$")
    api_key: SecretStr | None = None
    default_model: str = ""
    timeout_seconds: float = Field(default=120, gt=0)
    extra: dict[str, Any] = {}

    @property
    def wire(self) -> Kind:
        """The wire that is spoken there."""
        return "openai" if self.kind == "scripted" and self.base_url else self.kind

    @property
    def headers(self) -> dict[str, str]:
        """Headers for each call, of `extra.headers`; raises BadRequest where they are none."""
        given = self.extra.get("headers", {})
        if not isinstance(given, dict) or not all(_is_header(name, value) for name, value in given.items()):
            raise BadRequest("The profile's extra.headers is no mapping of names to printable ASCII texts.")
        return dict(given)

    @property
    def body(self) -> dict[str, Any]:
        """Fields for each request, of `extra.body`; raises BadRequest where they are none."""
        given = self.extra.get("body", {})
        if not isinstance(given, dict):
            raise BadRequest("The profile's extra.body is no mapping of names to values.")
        return dict(given)

    def key(self) -> str:
        """The secret itself, for the vendor's SDK only; empty without one."""
        return self.api_key.get_secret_value() if self.api_key else ""


def _is_header(name: object, value: object) -> bool:
    return all(isinstance(text, str) and text.isascii() and text.isprintable() for text in (name, value))
