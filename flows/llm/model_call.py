"""One recorded model call: what each of its attempts does."""

from contextlib import aclosing
from dataclasses import dataclass

from flows.llm.frames import Frames
from flows.llm.outputs import InvalidOutput, Output
from flows.llm.partial import Partial, Saved, messages_after
from flows.llm.profiles import ResolvedProfile
from flows.llm.scripted_note import note_scripted
from flows.llm.texts import storable, storable_json
from flows.llm.usage import Tally
from flows.llm.vendor import Route, call_vendor, within
from providers.client import ModelClient
from providers.errors import MalformedAnswer, ProviderError
from providers.messages import ImagePart, Message, TextPart
from providers.replies import Reply
from providers.requests import ChatRequest
from runs.jobs import Checkpoint, Emit, StepContext, current_attempt


@dataclass(frozen=True, slots=True)
class ModelCall:
    """What is asked, and where; `output` is the type that the answer must have, unless it calls tools."""

    route: Route
    request: ChatRequest
    output: Output | None = None


async def record_call(step: StepContext, name: str, call: ModelCall) -> Reply:
    """The step `name`: the reply of the attempt that succeeded, never asked for again. Raises StepFailed."""

    async def attempt(emit: Emit, checkpoint: Checkpoint) -> Reply:
        async with call_vendor(call.route) as (profile, client):
            reply = await _Attempt(call, profile, client, emit, checkpoint).reply()
        await note_scripted(step, reply.provider_kind)
        return reply

    reply: Reply = await step.stream(name, attempt)
    return reply


class _Attempt:
    def __init__(
        self, call: ModelCall, profile: ResolvedProfile, client: ModelClient, emit: Emit, checkpoint: Checkpoint
    ) -> None:
        self._call, self._client, self._frames = call, client, Frames(emit)
        saved = Saved.last(checkpoint)
        begun = saved if _is_continued(client, call.request, saved) else Saved()
        self._request = _request(call.request, profile, saved, begun)
        model = self._request.model or profile.model
        self._tally = Tally(profile.endpoint.wire, model)
        self._partial = Partial(
            current_attempt().step, self._request, begun, saved.rejected, self._frames, checkpoint, self._tally
        )

    async def reply(self) -> Reply:
        try:
            reply = await self._read()
        except ProviderError as exc:
            await self._keep(exc)
            raise
        except BaseException:
            self._partial.tell_estimate()
            raise
        finally:
            self._frames.close()
        self._tally.tell(reply.usage, reply.model)
        whole = self._whole(reply)
        await self._check(whole)
        return whole

    async def _read(self) -> Reply:
        """The vendor's reply, after its pieces. Leaving the stream early closes its connection."""
        reply: Reply | None = None
        limit = within(self._call.route.timeout_seconds)
        async with limit, aclosing(self._client.chat(self._request)) as stream:
            async for item in stream:
                if isinstance(item, Reply):
                    reply = item
                else:
                    await self._partial.add(item)
        if reply is None:
            raise MalformedAnswer("The stream of the model ended without its reply.")
        self._frames.flush()
        return reply

    async def _keep(self, error: ProviderError) -> None:
        """What a failed call cost, and what it had said."""
        if error.usage is not None:
            self._tally.tell(error.usage)
        else:
            self._partial.tell_estimate()
        if error.is_retryable and self._client.can_continue and not isinstance(error, MalformedAnswer):
            await self._partial.save_cut()

    def _whole(self, reply: Reply) -> Reply:
        """With what was there before a cut, and as the database takes it."""
        begun, message = self._request.continue_from, reply.message
        content: str | list[TextPart | ImagePart]
        if isinstance(message.content, str):
            content = storable(begun + message.content)
        else:
            content = [*([TextPart(text=begun)] if begun else []), *message.content]
        calls = [call.model_copy(update={"arguments": storable_json(call.arguments)}) for call in message.tool_calls]
        reasoning = storable(self._partial.reasoning or message.reasoning)
        changed = message.model_copy(update={"content": content, "reasoning": reasoning, "tool_calls": calls})
        return reply.model_copy(update={"message": changed})

    async def _check(self, reply: Reply) -> None:
        """Raises MalformedAnswer for an answer that is not of the wanted type; the next attempt tells the model."""
        if self._call.output is None or reply.message.tool_calls:
            return
        try:
            self._call.output.read(reply.message.text)
        except InvalidOutput as exc:
            await self._partial.save_rejected(reply.message.text, str(exc))
            cut = " It was cut at max_tokens." if reply.finish_reason == "length" else ""
            raise MalformedAnswer(f"The answer is not of the wanted type: {exc}.{cut}") from exc


def _is_continued(client: ModelClient, request: ChatRequest, saved: Saved) -> bool:
    """JSON that a vendor holds to a schema is asked for anew, and so is an answer of which only reasoning came."""
    return client.can_continue and request.output_schema is None and bool(saved.text)


def _request(request: ChatRequest, profile: ResolvedProfile, saved: Saved, begun: Saved) -> ChatRequest:
    """What this attempt asks: within the profile's limit, after what was begun, or about what was rejected."""
    limits = [limit for limit in (request.max_tokens, profile.limits.max_tokens) if limit is not None]
    changes: dict[str, object] = {"max_tokens": min(limits, default=None), "continue_from": begun.text}
    if saved.rejected is not None:
        told = [Message.model_validate(message) for message in messages_after(saved.rejected)]
        changes["messages"] = [*request.messages, *told]
    return request.model_copy(update=changes)
