"""What the clients of all vendors have in common: a chat as a stream, and every failure as one of our errors."""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import ClassVar

from pydantic_ai.direct import model_request_stream
from pydantic_ai.messages import ModelMessage, ModelResponse
from pydantic_ai.models import Model, ModelRequestParameters, StreamedResponse
from pydantic_ai.profiles import ModelProfile
from pydantic_ai.settings import ModelSettings

from providers.endpoint import Endpoint
from providers.errors import BadRequest, CannotContinue, NotSupported, ProviderError, ProviderTimeout
from providers.replies import ChatItem, Embeddings, Images, Reply
from providers.requests import ChatRequest
from providers.vendors.conversation import answer_tool, conversation, parameters, settings
from providers.vendors.failures import Failures, hung_up, is_empty_stream
from providers.vendors.gathering import Delta, Gathered


class VendorClient(ABC):
    """One endpoint of a vendor. `takes_prefill`: the wire goes on after an assistant's message at the end."""

    kind: ClassVar[str]
    takes_prefill: ClassVar[bool] = False

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._was_prefill_refused = False

    @property
    def can_continue(self) -> bool:
        """False also once the vendor refused it: not every model of a wire that knows it takes it."""
        return self.takes_prefill and not self._was_prefill_refused

    @abstractmethod
    def _open_model(self, name: str) -> Model: ...

    @abstractmethod
    async def aclose(self) -> None: ...

    async def embed(self, texts: Sequence[str], model: str | None = None) -> Embeddings:
        raise NotSupported(f"{self.kind} has no embeddings.")

    async def image(self, prompt: str, model: str | None = None, size: str | None = None) -> Images:
        raise NotSupported(f"{self.kind} draws no images.")

    async def chat(self, request: ChatRequest) -> AsyncGenerator[ChatItem, None]:
        name = self._name(request.model)
        model, failures = self._open_model(name), self._failures(name)
        answer_by = answer_tool(request, has_json_schema=_has_json_schema(model.profile))
        gathered = Gathered(request, self.kind, answer_by)
        asked = _Asked(
            conversation(request.messages, request.continue_from if self.takes_prefill else ""),
            settings(request, self._endpoint),
            parameters(request, answer_by),
        )
        opened: list[StreamedResponse] = []
        failed: Exception | None = None
        try:
            async with aclosing(_deltas(model, asked, gathered, opened)) as deltas:
                async for delta in deltas:
                    yield delta
        except Exception as error:
            failed = error
        # outside of the handler: what is raised here has no context, which would hold the SDK's request and its key
        if failed is not None and not _is_whole(opened):
            raise self._failure(failed, failures, gathered, opened, request)
        yield _reply(gathered, opened[0].get(), failures)

    def _failure(
        self,
        raised: Exception,
        failures: Failures,
        gathered: Gathered,
        opened: list[StreamedResponse],
        request: ChatRequest,
    ) -> ProviderError:
        error = failures.error(raised)
        if isinstance(error, BadRequest) and request.continue_from and self.can_continue:
            self._was_prefill_refused = True
            return CannotContinue(error.problem)
        if is_empty_stream(raised):
            return gathered.cut(f"{failures.who} ended the stream before its first event.", None)
        if opened:
            response = opened[0].get()
            if hung_up(raised) and not isinstance(error, ProviderTimeout):
                return gathered.cut(f"{failures.who} hung up in the middle of the answer.", response)
            error.usage = error.usage or gathered.usage(response)
        return error

    def _name(self, model: str | None) -> str:
        if not (name := model or self._endpoint.default_model):
            raise BadRequest("No model is named, neither by the call nor by the profile's default_model.")
        return name

    def _failures(self, model: str) -> Failures:
        return Failures(f"The provider ({self.kind}, model {model})", self._endpoint.key())


@dataclass(frozen=True)
class _Asked:
    messages: list[ModelMessage]
    settings: ModelSettings
    parameters: ModelRequestParameters


async def _deltas(
    model: Model, asked: _Asked, gathered: Gathered, opened: list[StreamedResponse]
) -> AsyncGenerator[Delta, None]:
    stream = model_request_stream(
        model, asked.messages, model_settings=asked.settings, model_request_parameters=asked.parameters
    )
    async with stream as response:
        opened.append(response)
        async for event in response:
            for delta in gathered.deltas(event):
                yield delta


def _reply(gathered: Gathered, response: ModelResponse, failures: Failures) -> Reply:
    """The SDKs check nothing of what they read, so a name may be a number here."""
    failed: Exception | None = None
    try:
        return gathered.reply(response)
    except ProviderError:
        raise
    except Exception as error:
        failed = error
    raise failures.error(failed)


def _has_json_schema(profile: ModelProfile) -> bool:
    return bool(profile.get("supports_json_schema_output", False))


def _is_whole(opened: list[StreamedResponse]) -> bool:
    """The vendor said that the answer is complete; what broke after that takes nothing away from it."""
    return bool(opened and (opened[0].provider_details or {}).get("finish_reason"))
