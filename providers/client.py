"""The one protocol that every vendor is behind."""

from collections.abc import AsyncGenerator, Sequence
from typing import Protocol

from providers.endpoint import Endpoint
from providers.replies import ChatItem, Embeddings, Images
from providers.requests import ChatRequest


class ModelClient(Protocol):
    """A client lives on the event loop on which it is first used, and serves many calls at once there.

    Every method raises `providers.errors.ProviderError` and nothing of a vendor's SDK; nothing is tried twice here.
    """

    @property
    def kind(self) -> str:
        """The wire that is spoken: openai, ollama, anthropic or scripted."""

    @property
    def can_continue(self) -> bool:
        """Whether `ChatRequest.continue_from` is honoured."""

    def chat(self, request: ChatRequest) -> AsyncGenerator[ChatItem, None]:
        """Deltas as they come, then exactly one Reply.

        Closing the generator (`contextlib.aclosing`) or cancelling who reads it closes the connection at once.
        """

    async def embed(self, texts: Sequence[str], model: str | None = None) -> Embeddings: ...

    async def image(self, prompt: str, model: str | None = None, size: str | None = None) -> Images:
        """`size` as the vendor writes it, such as 1024x1024."""

    async def aclose(self) -> None:
        """Closes every connection; calls under way fail."""


def open_client(endpoint: Endpoint) -> ModelClient:
    """A client for the endpoint; imports that vendor's SDK (1 to 2 s the first time) and calls nobody."""
    match endpoint.wire:
        case "openai":
            from providers.vendors.openai import OpenAIClient

            return OpenAIClient(endpoint)
        case "ollama":
            from providers.vendors.ollama import OllamaClient

            return OllamaClient(endpoint)
        case "anthropic":
            from providers.vendors.anthropic import AnthropicClient

            return AnthropicClient(endpoint)
        case "scripted":
            from providers.scripted.client import ScriptedClient

            return ScriptedClient(endpoint)
