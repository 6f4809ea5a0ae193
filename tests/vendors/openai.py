"""OpenAI's wire: chat completions, embeddings and images. Many other vendors speak its chat."""

import struct
from base64 import b64encode
from typing import Any

from tests.vendors import ollama
from tests.vendors.answers import Answer, Usage
from tests.vendors.faults import status_of
from tests.vendors.prompts import Body, Prompt, Turn, tokens
from tests.vendors.wires import OPENED_AT, Streamed, event, image_count, joined_text, needed, png, vector


def read(operation: str, body: Body) -> Prompt:
    """Raises: BadBody."""
    model = needed(body, "model", str)
    if operation != "chat":
        given = body.get("input" if operation == "embeddings" else "prompt") or []
        texts = (given,) if isinstance(given, str) else tuple(map(str, given))
        return Prompt("openai", operation, model, body, texts=texts)
    turns = tuple(_turn(message) for message in needed(body, "messages", list))
    last = body["messages"][-1] if turns else {}
    continues = turns and turns[-1].role == "assistant" and (body.get("continue_final_message") or last.get("prefix"))
    stop = body.get("stop") or ()
    return Prompt(
        "openai", "chat", model, body, turns,
        stream=bool(body.get("stream")),
        tools={tool["function"]["name"]: tool["function"].get("parameters", {}) for tool in _functions(body)},
        forced_tool=_forced(body),
        schema=_schema(body),
        prefill=turns[-1].text if continues else "",
        max_tokens=body.get("max_completion_tokens") or body.get("max_tokens"),
        stop=(stop,) if isinstance(stop, str) else tuple(stop),
    )  # fmt: skip


def _turn(message: Body) -> Turn:
    content = message.get("content")
    images = image_count(content, "image_url") if isinstance(content, list) else 0
    return Turn("system" if message["role"] == "developer" else message["role"], joined_text(content), images)


def _functions(body: Body) -> list[Body]:
    return [tool for tool in body.get("tools") or [] if tool.get("type") == "function"]


def _forced(body: Body) -> str:
    choice = body.get("tool_choice")
    if isinstance(choice, dict):
        return str(choice["function"]["name"])
    functions = _functions(body)
    return functions[0]["function"]["name"] if choice == "required" and functions else ""


def _schema(body: Body) -> Body | None:
    wanted = body.get("response_format") or {}
    if wanted.get("type") == "json_schema":
        return dict(wanted["json_schema"].get("schema", {}))
    if wanted.get("type") == "json_object":
        return {"type": "object", "properties": {"answer": {"type": "string"}}, "required": ["answer"]}
    return None


def streamed(prompt: Prompt, answer: Answer) -> Streamed:
    """A first chunk with the role, one per piece, one with the finish reason, the usage if asked for, `[DONE]`."""
    with_usage = bool((prompt.body.get("stream_options") or {}).get("include_usage"))

    def chunk(delta: Body, finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return event(_envelope(prompt, "chat.completion.chunk", [choice], **({"usage": None} if with_usage else {})))

    pieces = tuple(chunk(delta) for delta in _deltas(prompt, answer))
    closing = chunk({}, _finish(answer))
    if with_usage:
        closing += event(_envelope(prompt, "chat.completion.chunk", [], usage=_usage(answer.usage)))
    opening = chunk({"role": "assistant", "content": "" if answer.chunks else None, "refusal": None})
    malformed = b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"cont\n\n'
    return Streamed("text/event-stream; charset=utf-8", opening, pieces, closing + b"data: [DONE]\n\n", malformed)


def _deltas(prompt: Prompt, answer: Answer) -> list[Body]:
    deltas: list[Body] = [{_reasoning(prompt): text} for text in answer.reasoning]
    deltas += [{"refusal" if answer.finish == "refusal" else "content": text} for text in answer.chunks]
    for index, call in enumerate(answer.calls):
        begun = {"index": index, "id": call.id, "type": "function", "function": {"name": call.name, "arguments": ""}}
        deltas.append({"tool_calls": [begun]})
        deltas += [{"tool_calls": [{"index": index, "function": {"arguments": text}}]} for text in call.fragments]
    return deltas


def _reasoning(prompt: Prompt) -> str:
    # OpenAI itself shows none on this wire; DeepSeek, vLLM and others do by the first name, Ollama by the second
    return "reasoning" if prompt.wire == "ollama" else "reasoning_content"


def _finish(answer: Answer) -> str:
    return "stop" if answer.finish == "refusal" else answer.finish


def _envelope(prompt: Prompt, kind: str, choices: list[Body], **more: Any) -> Body:
    # one answer's chunks share the id: it comes from what was asked
    head = {"id": f"chatcmpl-{prompt.digest[:24]}", "object": kind, "created": OPENED_AT, "model": prompt.model}
    return {**head, "choices": choices, "service_tier": "default", "system_fingerprint": "fp_tests", **more}


def _usage(usage: Usage) -> Body:
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens, "audio_tokens": 0},
    }


def whole(prompt: Prompt, answer: Answer) -> Body:
    if prompt.operation == "embeddings":
        return _embeddings(prompt)
    if prompt.operation == "images":
        return _images(prompt)
    is_refusal = answer.finish == "refusal"
    message: Body = {
        "role": "assistant",
        "content": None if is_refusal or not answer.chunks else answer.text,
        "refusal": answer.text if is_refusal else None,
    }
    if answer.reasoning:
        message[_reasoning(prompt)] = "".join(answer.reasoning)
    if answer.calls:
        message["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in answer.calls
        ]
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _finish(answer)}
    return _envelope(prompt, "chat.completion", [choice], usage=_usage(answer.usage))


def _embeddings(prompt: Prompt) -> Body:
    numbers = [vector(text, prompt.body.get("dimensions") or 8) for text in prompt.texts]
    data = [
        {"object": "embedding", "index": at, "embedding": _encoded(found, prompt.body.get("encoding_format"))}
        for at, found in enumerate(numbers)
    ]
    count = prompt.input_tokens
    return {
        "object": "list", "data": data, "model": prompt.model, "usage": {"prompt_tokens": count, "total_tokens": count},
    }  # fmt: skip


def _encoded(numbers: list[float], encoding: str | None) -> list[float] | str:
    # the official client asks for base64 of 32-bit floats, whatever its caller asked for
    return b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode() if encoding == "base64" else numbers


def _images(prompt: Prompt) -> Body:
    count = prompt.body.get("n") or 1
    data = [{"b64_json": png(f"{prompt.user_text} {at}")} for at in range(count)]
    taken, made = tokens(prompt.user_text), 272 * count
    usage = {
        "input_tokens": taken, "input_tokens_details": {"text_tokens": taken, "image_tokens": 0},
        "output_tokens": made, "total_tokens": taken + made,
    }  # fmt: skip
    return {
        "created": OPENED_AT, "output_format": "png", "size": prompt.body.get("size"), "data": data, "usage": usage,
    }  # fmt: skip


# fault: message, type, param, code
_ERRORS: dict[str, tuple[str, str, str | None, str | None]] = {
    "bad_request": ("Unrecognized request argument supplied.", "invalid_request_error", None, None),
    "context_overflow": (
        "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens. "
        "Please reduce the length of the messages.",
        "invalid_request_error", "messages", "context_length_exceeded",
    ),
    "authentication": (
        "Incorrect API key provided: {key}. You can find your API key at https://platform.openai.com/account/api-keys.",
        "invalid_request_error", None, "invalid_api_key",
    ),
    "permission": ("You are not allowed to sample from this model", "invalid_request_error", None, None),
    "not_found": (
        "The model `{model}` does not exist or you do not have access to it.",
        "invalid_request_error", None, "model_not_found",
    ),
    "too_large": ("Request body is too large.", "invalid_request_error", None, None),
    "rate_limited": (
        "Rate limit reached for {model} in organization org-tests on requests per min (RPM): Limit 3, Used 3, "
        "Requested 1. Please try again in 20s.",
        "requests", None, "rate_limit_exceeded",
    ),
    "quota": (
        "You exceeded your current quota, please check your plan and billing details.",
        "insufficient_quota", None, "insufficient_quota",
    ),
    "unavailable": ("The engine is currently overloaded, please try again later", "server_error", None, None),
    "overloaded": ("The engine is currently overloaded, please try again later", "server_error", None, None),
}  # fmt: skip
_SERVER_ERROR = (
    "The server had an error while processing your request. Sorry about that!", "server_error", None, None,
)  # fmt: skip


def error(fault: str, prompt: Prompt, message: str) -> Body:
    if prompt.wire == "ollama":
        return _error_of_ollama(fault, prompt, message)
    words, kind, param, code = _ERRORS.get(fault, _SERVER_ERROR)
    words = message or words.replace("{model}", prompt.model).replace("{key}", prompt.key_shown)
    return {"error": {"message": words, "type": kind, "param": param, "code": code}}


def _error_of_ollama(fault: str, prompt: Prompt, message: str) -> Body:
    """Ollama says what it says on its own wire, in this shape."""
    kind = {400: "invalid_request_error", 404: "not_found_error"}.get(status_of(fault, "ollama"), "api_error")
    words = ollama.error(fault, prompt, message)["error"]
    return {"error": {"message": words, "type": kind, "param": None, "code": None}}


def error_piece(error: Body) -> bytes:
    return event(error)
