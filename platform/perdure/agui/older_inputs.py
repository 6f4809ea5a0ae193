"""Inputs of older clients in the words of protocol 1.0: binary parts, and a resume that names one interrupt."""

from typing import Any

_MEDIA = ("image", "audio", "video")


def modernised(body: dict[str, Any]) -> dict[str, Any]:
    """The same body where nothing of it is old. What fits neither form is left for the validation to name."""
    found = dict(body)
    if isinstance(resume := body.get("resume"), dict):
        found["resume"] = [resume_entry(resume)]
    if isinstance(messages := body.get("messages"), list):
        found["messages"] = [_message(one) if isinstance(one, dict) else one for one in messages]
    return found


def resume_entry(old: dict[str, Any]) -> dict[str, Any]:
    """Of `{interruptId, payload: {type: approve, toolResults?} | {type: reject, reason?}}`; others stay as they are."""
    entry = {"interruptId": old.get("interruptId"), "status": old.get("status", "resolved")}
    payload = old.get("payload")
    if not isinstance(payload, dict) or payload.get("type") not in ("approve", "reject"):
        return entry | ({"payload": payload} if payload is not None else {})
    if payload["type"] == "reject":
        return entry | {"payload": {"approved": False, "reason": payload.get("reason") or "User rejected tool calls"}}
    answer: dict[str, Any] = {"approved": True}
    results = payload.get("toolResults")
    if isinstance(results, list) and len(results) == 1 and isinstance(results[0], dict):
        answer["editedArgs"] = results[0].get("result")  # there, what is sent with an approval replaces the arguments
    return entry | {"payload": answer}


def _message(message: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(content := message.get("content"), list):
        return message
    return message | {"content": [_part(one) if isinstance(one, dict) else one for one in content]}


def _part(part: dict[str, Any]) -> dict[str, Any]:
    if part.get("type") != "binary":
        return part
    mime = part.get("mimeType") or part.get("mime_type") or "application/octet-stream"
    kind = str(mime).split("/")[0]
    return {"type": kind if kind in _MEDIA else "document", "source": _source(part, mime)}


def _source(part: dict[str, Any], mime: Any) -> dict[str, Any]:
    for name, type_ in (("data", "data"), ("url", "url"), ("id", "file")):
        if part.get(name):
            return {"type": type_, "value": part[name], "mimeType": mime}
    return {"type": "data", "mimeType": mime}
