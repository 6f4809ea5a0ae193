"""Ollama, by the OpenAI wire that it speaks beside its own."""

from typing import ClassVar

from openai import AsyncOpenAI
from pydantic_ai.models import Model
from pydantic_ai.models.ollama import OllamaModel
from pydantic_ai.profiles import merge_profile
from pydantic_ai.profiles.openai import OpenAIModelProfile
from pydantic_ai.providers import Provider
from pydantic_ai.providers.ollama import OllamaProvider

from providers.vendors.openai import OpenAIClient

OWN_URL = "http://localhost:11434"


class OllamaClient(OpenAIClient):
    kind: ClassVar[str] = "ollama"
    takes_prefill: ClassVar[bool] = True

    def _address(self, base_url: str) -> str:
        """Ollama's address is its host; people write it with and without /v1 or /api."""
        root = (base_url or OWN_URL).rstrip("/")
        return f"{root.removesuffix('/v1').removesuffix('/api')}/v1"

    def _open_provider(self) -> Provider[AsyncOpenAI]:
        return OllamaProvider(openai_client=self._sdk)

    def _open_model(self, name: str) -> Model:
        """It ignores `max_completion_tokens`."""
        found = OllamaModel(name, provider=self._provider)
        limited = OpenAIModelProfile(openai_chat_supports_max_completion_tokens=False)
        return OllamaModel(name, provider=self._provider, profile=merge_profile(found.profile, limited))
