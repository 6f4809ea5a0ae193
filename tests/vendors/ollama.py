"""Ollama's own wire: lines of JSON; tool calls come whole; thinking is a text beside the content."""

from typing import Any

from tests.vendors.answers import Answer
from tests.vendors.prompts import Body, Prompt, Turn
from tests.vendors.wires import Streamed, compact, joined_text, needed, parsed, vector

_AT = "2026-05-28T20:26:40.000000Z"


def read(operation: str, body: Body) -> Prompt:
    """Streams unless told not to. Raises: BadBody."""
    model = needed(body, "model", str)
    if operation == "embeddings":
        given = body.get("input") or []
        return Prompt("ollama", operation, model, body, texts=(given,) if isinstance(given, str) else tuple(given))
    turns = tuple(_turn(message) for message in needed(body, "messages", list))
    options = body.get("options") or {}
    functions = [tool["function"] for tool in body.get("tools") or []]
    stop = options.get("stop") or ()
    return Prompt(
        "ollama", "chat", model, body, turns,
        stream=body.get("stream") is not False,
        tools={function["name"]: function.get("parameters", {}) for function in functions},
        schema=_schema(body.get("format")),
        prefill=turns[-1].text if turns and turns[-1].role == "assistant" else "",
        max_tokens=options["num_predict"] if options.get("num_predict", -1) > 0 else None,
        stop=(stop,) if isinstance(stop, str) else tuple(stop),
    )  # fmt: skip


def _turn(message: Body) -> Turn:
    return Turn(message["role"], joined_text(message.get("content")), len(message.get("images") or []))


def _schema(wanted: Any) -> Body | None:
    if wanted == "json":
        return {"type": "object", "properties": {"answer": {"type": "string"}}, "required": ["answer"]}
    return wanted if isinstance(wanted, dict) else None


def streamed(prompt: Prompt, answer: Answer) -> Streamed:
    """A line per piece, and one that is done, with what it cost."""
    messages: list[Body] = [{"content": "", "thinking": text} for text in answer.reasoning]
    messages += [{"content": text} for text in answer.chunks]
    messages += [{"content": "", "tool_calls": [call]} for call in _calls(answer)]
    pieces = tuple(_line(_envelope(prompt, message, done=False)) for message in messages)
    closing = _line({**_envelope(prompt, {"content": ""}, done=True), **_ending(answer)})
    return Streamed("application/x-ndjson", b"", pieces, closing, b'{"model":"m","message":{"role":"assis\n')


def whole(prompt: Prompt, answer: Answer) -> Body:
    if prompt.operation == "embeddings":
        vectors = [vector(text, prompt.body.get("dimensions") or 8) for text in prompt.texts]
        spent = {"total_duration": 14_000_000, "load_duration": 1_000_000, "prompt_eval_count": prompt.input_tokens}
        return {"model": prompt.model, "embeddings": vectors, **spent}
    message: Body = {"content": answer.text}
    if answer.reasoning:
        message["thinking"] = "".join(answer.reasoning)
    if answer.calls:
        message["tool_calls"] = _calls(answer)
    return {**_envelope(prompt, message, done=True), **_ending(answer)}


def _calls(answer: Answer) -> list[Body]:
    return [
        {"id": call.id, "function": {"index": at, "name": call.name, "arguments": parsed(call.arguments)}}
        for at, call in enumerate(answer.calls)
    ]


def _envelope(prompt: Prompt, message: Body, *, done: bool) -> Body:
    return {"model": prompt.model, "created_at": _AT, "message": {"role": "assistant", **message}, "done": done}


def _ending(answer: Answer) -> Body:
    return {
        "done_reason": "length" if answer.finish == "length" else "stop",
        "total_duration": 174_560_334, "load_duration": 101_397_084,
        "prompt_eval_count": answer.usage.input_tokens, "prompt_eval_duration": 13_074_791,
        "eval_count": answer.usage.output_tokens, "eval_duration": 52_479_709,
    }  # fmt: skip


def _line(data: Body) -> bytes:
    return f"{compact(data)}\n".encode()


_ERRORS = {
    "bad_request": "invalid request",
    "context_overflow": "the input length exceeds the context length",
    "authentication": "unauthorized",
    "permission": "forbidden",
    "not_found": "model '{model}' not found",
    "too_large": "request body too large",
    "rate_limited": "you have reached your hourly usage limit, please try again later",
    "quota": "you have reached your weekly usage limit, please upgrade to continue",
    "unavailable": "server busy, please try again.  maximum pending requests exceeded",
    "overloaded": "server busy, please try again.  maximum pending requests exceeded",
}


def error(fault: str, prompt: Prompt, message: str) -> Body:
    words = _ERRORS.get(fault, "model runner has unexpectedly stopped")
    return {"error": message or words.replace("{model}", prompt.model)}


def error_piece(error: Body) -> bytes:
    return _line(error)


def tags(models: list[str]) -> Body:
    """`/api/tags`: the models on this machine."""
    details = {"format": "gguf", "family": "tests", "families": ["tests"], "parameter_size": "1B",
               "quantization_level": "Q4_K_M"}  # fmt: skip
    return {"models": [
        {"name": name, "model": name, "modified_at": _AT, "size": 1_000_000, "digest": "0" * 64, "details": details}
        for name in models
    ]}  # fmt: skip
