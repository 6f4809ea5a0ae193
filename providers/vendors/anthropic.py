"""Anthropic. It has neither embeddings nor images out."""

from typing import ClassVar

from anthropic import AsyncAnthropic
from pydantic_ai.models import Model
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.providers.anthropic import AnthropicProvider

from providers.endpoint import Endpoint
from providers.vendors.http import http_client
from providers.vendors.vendor import VendorClient

OWN_URL = "https://api.anthropic.com"
NO_KEY = "none"


class AnthropicClient(VendorClient):
    kind: ClassVar[str] = "anthropic"
    takes_prefill: ClassVar[bool] = True

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__(endpoint)
        self._sdk = AsyncAnthropic(
            api_key=endpoint.key() or NO_KEY,
            base_url=(endpoint.base_url or OWN_URL).rstrip("/").removesuffix("/v1"),
            max_retries=0,
            timeout=endpoint.timeout_seconds,
            http_client=http_client(endpoint.timeout_seconds),
        )
        # the SDK adds what it finds in the environment, which is not for every address that a profile names
        self._sdk._custom_headers = endpoint.headers
        self._provider = AnthropicProvider(anthropic_client=self._sdk)

    def _open_model(self, name: str) -> Model:
        return AnthropicModel(name, provider=self._provider)

    async def aclose(self) -> None:
        await self._sdk.close()
