"""The scripted provider behind the protocol of all providers. It calls nobody."""

import asyncio
import base64
from collections.abc import AsyncGenerator, Sequence

from providers.endpoint import Endpoint
from providers.estimates import count
from providers.messages import ImagePart
from providers.replies import ChatItem, Embeddings, Images, ReasoningDelta, TextDelta, Usage
from providers.requests import ChatRequest
from providers.scripted import answers
from providers.scripted.answer import KIND, Answer
from providers.scripted.choosing import open_scenario

MODEL = "scripted"


class ScriptedClient:
    kind = KIND
    can_continue = True

    def __init__(self, endpoint: Endpoint) -> None:
        self._scenario = open_scenario(endpoint.extra.get("scenario"))
        self._model = endpoint.default_model or MODEL

    async def chat(self, request: ChatRequest) -> AsyncGenerator[ChatItem, None]:
        model = request.model or self._model
        rule, found = self._scenario.rule(request, model)
        answer = Answer(request, rule, found)
        await asyncio.sleep(rule.delay_seconds)
        for number, piece in enumerate(answer.reasoning):
            await asyncio.sleep(piece.delay_seconds if number else 0)
            yield ReasoningDelta(text=piece.text)
        said = ""
        for number, piece in enumerate(answer.chunks):
            if rule.fail and number >= rule.fail.after_chunks:
                break
            await asyncio.sleep(piece.delay_seconds)
            said += piece.text
            yield TextDelta(text=piece.text)
        if rule.fail:
            raise answer.failure(said)
        for delta in answer.call_deltas():
            await asyncio.sleep(rule.chunk_delay_seconds)
            yield delta
        yield answer.reply(model)

    async def embed(self, texts: Sequence[str], model: str | None = None) -> Embeddings:
        return Embeddings(
            vectors=[answers.vector(text) for text in texts],
            usage=Usage(input_tokens=sum(count(text) for text in texts)),
            model=model or self._model,
        )

    async def image(self, prompt: str, model: str | None = None, size: str | None = None) -> Images:
        data = base64.b64encode(answers.picture(prompt)).decode()
        usage = Usage(input_tokens=count(prompt))
        return Images(images=[ImagePart(data=data)], usage=usage, model=model or self._model)

    async def aclose(self) -> None:
        """Nothing is open."""
