"""OpenAI, and whatever speaks its wire at a base URL."""

from collections.abc import Awaitable, Sequence
from typing import ClassVar, TypeVar
from urllib.parse import urlsplit

from openai import AsyncOpenAI
from openai.types import CreateEmbeddingResponse, Image, ImagesResponse
from pydantic import ValidationError
from pydantic_ai.models import Model
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.profiles.openai import OpenAIModelProfile
from pydantic_ai.providers import Provider
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider

from providers.endpoint import Endpoint
from providers.errors import MalformedAnswer
from providers.estimates import count
from providers.messages import ImagePart
from providers.replies import Embeddings, Images, Usage
from providers.vendors.http import http_client
from providers.vendors.vendor import VendorClient

OWN_URL = "https://api.openai.com/v1"
OWN_HOSTS = ("api.openai.com", ".openai.azure.com", ".services.ai.azure.com")
NO_KEY = "none"

Answer = TypeVar("Answer")


class OpenAIClient(VendorClient):
    kind: ClassVar[str] = "openai"

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__(endpoint)
        self._base_url = self._address(endpoint.base_url)
        self._sdk = AsyncOpenAI(
            api_key=endpoint.key() or NO_KEY,
            base_url=self._base_url,
            max_retries=0,
            timeout=endpoint.timeout_seconds,
            http_client=http_client(endpoint.timeout_seconds),
        )
        # the SDK adds what it finds in the environment, which is not for every address that a profile names
        self._sdk.organization = self._sdk.project = None
        self._sdk._custom_headers = endpoint.headers
        self._provider = self._open_provider()

    def _address(self, base_url: str) -> str:
        return base_url or OWN_URL

    def _open_provider(self) -> Provider[AsyncOpenAI]:
        if self._is_own():
            return OpenAIProvider(openai_client=self._sdk)
        return OpenAICompatibleProvider("openai-compatible", openai_client=self._sdk)

    def _is_own(self) -> bool:
        host = urlsplit(self._base_url).hostname or ""
        return any(host == own or (own.startswith(".") and host.endswith(own)) for own in OWN_HOSTS)

    def _open_model(self, name: str) -> Model:
        """Other servers know `max_tokens`, which OpenAI's own newer models refuse."""
        own = OpenAIModelProfile(openai_chat_supports_max_completion_tokens=self._is_own())
        return OpenAIChatModel(name, provider=self._provider, profile=own)

    async def embed(self, texts: Sequence[str], model: str | None = None) -> Embeddings:
        name = self._name(model)
        if not texts:
            return Embeddings(vectors=[], usage=Usage(), model=name)
        asked = self._sdk.embeddings.create(input=list(texts), model=name, encoding_format="float")
        return _embeddings(await self._answered(asked, name), texts, name)

    async def image(self, prompt: str, model: str | None = None, size: str | None = None) -> Images:
        name = self._name(model)
        asked = self._sdk.images.generate(prompt=prompt, model=name, extra_body={"size": size} if size else None)
        return _images(await self._answered(asked, name), prompt, name)

    async def _answered(self, asked: Awaitable[Answer], model: str) -> Answer:
        failed: Exception | None = None
        try:
            return await asked
        except Exception as error:
            failed = error
        raise self._failures(model).error(failed)

    async def aclose(self) -> None:
        await self._sdk.close()


def _embeddings(answer: CreateEmbeddingResponse, texts: Sequence[str], model: str) -> Embeddings:
    """The SDK checks nothing of an answer, so its shape is checked here."""
    try:
        in_order = sorted(answer.data, key=lambda item: item.index)
        told = answer.usage.prompt_tokens if answer.usage else None
        guess = sum(count(text) for text in texts)
        usage = Usage(input_tokens=guess if told is None else told, is_estimated=told is None)
        found = Embeddings(vectors=[item.embedding for item in in_order], usage=usage, model=answer.model or model)
    except (AttributeError, TypeError, ValidationError):
        raise MalformedAnswer(f"The answer of {model} is no list of embeddings.") from None
    if len(found.vectors) != len(texts):
        raise MalformedAnswer(f"{model} gave {len(found.vectors)} embeddings for {len(texts)} texts.")
    return found


def _images(answer: ImagesResponse, prompt: str, model: str) -> Images:
    try:
        drawn = [_image(image, answer.output_format) for image in answer.data or []]
        told = answer.usage
        usage = Usage(
            input_tokens=told.input_tokens if told else count(prompt),
            output_tokens=told.output_tokens if told else 0,
            is_estimated=told is None,
        )
    except (AttributeError, TypeError, ValidationError):
        raise MalformedAnswer(f"The answer of {model} is no list of images.") from None
    if not drawn:
        raise MalformedAnswer(f"{model} answered without an image.")
    return Images(images=drawn, usage=usage, model=model)


def _image(image: Image, written_as: str | None) -> ImagePart:
    kind = f"image/{written_as or 'png'}"
    return ImagePart(media_type=kind, data=image.b64_json or None, url=None if image.b64_json else image.url)
