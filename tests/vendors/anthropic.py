"""Anthropic's wire: messages of content blocks, streamed as named events; an assistant's last message is continued."""

import base64
from typing import Any

from tests.vendors.answers import Answer, Usage
from tests.vendors.prompts import BadBody, Body, Prompt, Turn
from tests.vendors.wires import Streamed, event, image_count, joined_text, needed, parsed

_FINISH = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal"}


def read(operation: str, body: Body) -> Prompt:
    """Raises: BadBody."""
    model = needed(body, "model", str)
    messages = needed(body, "messages", list)
    if operation == "chat":
        needed(body, "max_tokens", int)
    system = joined_text(body.get("system"))
    turns = tuple([Turn("system", system)] if system else []) + tuple(map(_turn, messages))
    continues = bool(messages) and messages[-1]["role"] == "assistant"
    if continues and turns[-1].text != turns[-1].text.rstrip():
        raise BadBody("messages: final assistant content cannot end with trailing whitespace")
    tools = {tool["name"]: tool["input_schema"] for tool in body.get("tools") or [] if "input_schema" in tool}
    return Prompt(
        "anthropic", operation, model, body, turns,
        stream=bool(body.get("stream")),
        tools=tools,
        forced_tool=_forced(body.get("tool_choice") or {}, list(tools)),
        schema=((body.get("output_config") or {}).get("format") or body.get("output_format") or {}).get("schema"),
        prefill=turns[-1].text if continues else "",
        max_tokens=body.get("max_tokens"),
        stop=tuple(body.get("stop_sequences") or ()),
    )  # fmt: skip


def _turn(message: Body) -> Turn:
    content = message.get("content")
    if not isinstance(content, list):
        return Turn(message["role"], content or "")
    results = [part for part in content if part.get("type") == "tool_result"]
    said = [part for part in content if part.get("type") in ("text", "image")]
    if results and not any(part["type"] == "text" for part in said):
        return Turn("tool", "\n".join(joined_text(part.get("content")) for part in results))
    return Turn(message["role"], joined_text(content), image_count(content, "image"))


def _forced(choice: Body, tools: list[str]) -> str:
    if choice.get("type") == "tool":
        return str(choice["name"])
    return tools[0] if choice.get("type") == "any" and tools else ""


def streamed(prompt: Prompt, answer: Answer) -> Streamed:
    """`message_start`, blocks (begun, deltas, stopped), `message_delta` with the finish, `message_stop`.

    The frames that begin and stop blocks go out with the deltas beside them.
    """
    opening = _event("message_start", message=_message(prompt, [], None, _usage(answer.usage, output_tokens=1)))
    blocks = [_pieces(at, *block) for at, block in enumerate(_blocks(prompt, answer))]
    delta = {"stop_reason": _finish(answer), **_details(answer)}
    closing = _event("message_delta", delta=delta, usage={"output_tokens": answer.usage.output_tokens})
    malformed = b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"ty\n\n'
    return Streamed(
        "text/event-stream; charset=utf-8",
        opening + _event("ping"),
        tuple(piece for block in blocks for piece in block),
        closing + _event("message_stop"),
        malformed,
    )


def _blocks(prompt: Prompt, answer: Answer) -> list[tuple[Body, list[Body]]]:
    """Each block as it begins, and its deltas."""
    blocks: list[tuple[Body, list[Body]]] = []
    if answer.reasoning:
        deltas = [{"type": "thinking_delta", "thinking": text} for text in answer.reasoning]
        signed = {"type": "signature_delta", "signature": _signature(prompt)}
        blocks.append(({"type": "thinking", "thinking": "", "signature": ""}, [*deltas, signed]))
    if answer.chunks:
        blocks.append(({"type": "text", "text": ""}, [{"type": "text_delta", "text": text} for text in answer.chunks]))
    for call in answer.calls:
        begun = {"type": "tool_use", "id": _tool_id(call.id), "name": call.name, "input": {}}
        fragments = ["", *call.fragments]
        blocks.append((begun, [{"type": "input_json_delta", "partial_json": text} for text in fragments]))
    return blocks


def _pieces(index: int, begun: Body, deltas: list[Body]) -> list[bytes]:
    pieces = [_event("content_block_delta", index=index, delta=delta) for delta in deltas]
    pieces[0] = _event("content_block_start", index=index, content_block=begun) + pieces[0]
    pieces[-1] += _event("content_block_stop", index=index)
    return pieces


def whole(prompt: Prompt, answer: Answer) -> Body:
    if prompt.operation == "count_tokens":
        return {"input_tokens": prompt.input_tokens}
    content: list[Body] = []
    if answer.reasoning:
        content.append({"type": "thinking", "thinking": "".join(answer.reasoning), "signature": _signature(prompt)})
    if answer.chunks:
        content.append({"type": "text", "text": answer.text})
    content += [
        {"type": "tool_use", "id": _tool_id(call.id), "name": call.name, "input": parsed(call.arguments)}
        for call in answer.calls
    ]
    usage = _usage(answer.usage, output_tokens=answer.usage.output_tokens)
    return {**_message(prompt, content, _finish(answer), usage), **_details(answer)}


def _message(prompt: Prompt, content: list[Body], finish: str | None, usage: Body) -> Body:
    head = {"id": f"msg_{prompt.digest[:24]}", "type": "message", "role": "assistant", "model": prompt.model}
    return {**head, "content": content, "stop_reason": finish, "stop_sequence": None, "usage": usage}


def _usage(usage: Usage, *, output_tokens: int) -> Body:
    # here, unlike at OpenAI, what was read from the cache is beside the input, not in it
    return {
        "input_tokens": usage.input_tokens - usage.cached_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": usage.cached_tokens,
        "output_tokens": output_tokens,
        "service_tier": "standard",
    }


def _finish(answer: Answer) -> str:
    if answer.stop_word and answer.finish == "stop":
        return "stop_sequence"
    return _FINISH.get(answer.finish, answer.finish)


def _details(answer: Answer) -> Body:
    stopped: Body = {"stop_sequence": answer.stop_word or None}
    if _finish(answer) == "refusal":
        stopped["stop_details"] = {"type": "refusal", "category": None, "explanation": None}
    return stopped


def _tool_id(id: str) -> str:
    return id.replace("call_", "toolu_", 1)


def _signature(prompt: Prompt) -> str:
    return base64.b64encode(prompt.digest.encode()).decode()


def _event(name: str, **data: Any) -> bytes:
    return event({"type": name, **data}, name)


_ERRORS = {
    "bad_request": ("invalid_request_error", "messages: Input should be a valid list"),
    "context_overflow": ("invalid_request_error", "prompt is too long: 208310 tokens > 200000 maximum"),
    "content_filter": ("invalid_request_error", "Output blocked by content filtering policy"),
    "authentication": ("authentication_error", "invalid x-api-key"),
    "permission": ("permission_error", "Your API key does not have permission to use the specified resource"),
    "not_found": ("not_found_error", "model: {model}"),
    "too_large": ("request_too_large", "Request exceeds the maximum size"),
    "rate_limited": ("rate_limit_error", "This request would exceed your organization's rate limit"),
    "quota": (
        "invalid_request_error", "Your credit balance is too low to access the Anthropic API. Please go to Plans & "
        "Billing to upgrade or purchase credits.",
    ),
    "overloaded": ("overloaded_error", "Overloaded"),
}  # fmt: skip


def error(fault: str, prompt: Prompt, message: str) -> Body:
    kind, words = _ERRORS.get(fault, ("api_error", "Internal server error"))
    told = {"type": kind, "message": message or words.replace("{model}", prompt.model)}
    return {"type": "error", "error": told, "request_id": f"req_{prompt.digest[:24]}"}


def error_piece(error: Body) -> bytes:
    return event(error, "error")
