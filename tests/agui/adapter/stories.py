"""Hypothesis draws runs as the engine writes them: answers with tools, failed and overtaken attempts, questions."""

import json
from typing import Any

from hypothesis import strategies as st

from flows.llm.tools import naming
from runs.events.types import EventType
from tests.agui.adapter.story import Story, reply

_TEXTS = st.text('ab \u00e9\U0001f600"\\', max_size=12)
_ARGUMENTS = st.dictionaries(st.sampled_from(["a", "b"]), st.one_of(st.integers(-5, 5), _TEXTS), max_size=2)


@st.composite
def stories(draw: st.DrawFn) -> Story:
    story = Story()
    story.write(EventType.RUN_QUEUED)
    story.write(EventType.RUN_START)
    for number in range(draw(st.integers(1, 3))):
        draw(st.sampled_from([_chat, _chat, _two_at_once, _speaking, _plain, _waits, _changes_state]))(
            draw, story, f"s{number}"
        )
    _end(draw, story)
    return story


def _pieces(draw: st.DrawFn, text: str) -> list[str]:
    cuts = sorted(draw(st.sets(st.integers(0, len(text)), max_size=3)))
    return [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]


def _frames_of(draw: st.DrawFn, answer: dict[str, Any]) -> list[dict[str, Any]]:
    """As `flows.llm` emits them; the vendor spells the arguments its own way."""
    message = answer["message"]
    frames = [{"type": "reasoning", "text": piece} for piece in _pieces(draw, message["reasoning"])]
    frames += [{"type": "text", "text": piece} for piece in _pieces(draw, message["content"])]
    for call in message["tool_calls"]:
        separators = draw(st.sampled_from([(",", ":"), (", ", ": "), (" , ", " : ")]))
        spelled = json.dumps(call["arguments"], ensure_ascii=draw(st.booleans()), separators=separators)
        named = {"type": "tool_call", "id": call["id"], "name": call["name"]}
        frames += [named | {"arguments": piece} for piece in _pieces(draw, spelled)]
    return frames


def _answer(draw: st.DrawFn, with_calls: bool) -> dict[str, Any]:
    calls = draw(st.lists(st.tuples(st.sampled_from(["add", "mail"]), _ARGUMENTS), max_size=3)) if with_calls else []
    numbered = [(f"call_{number}", name, arguments) for number, (name, arguments) in enumerate(calls)]
    return reply(draw(_TEXTS), draw(_TEXTS), numbered)


def _stream(draw: st.DrawFn, story: Story, step: str, answer: dict[str, Any]) -> None:
    """Some attempts that come to nothing, each after a part of its own answer, and one that completes."""
    attempt = 1
    for attempt in range(1, draw(st.integers(1, 3)) + 1):
        if attempt > 1:
            _cut(draw, story, step, attempt - 1)
        story.begin(step, attempt)
    for data in _frames_of(draw, answer):
        story.emit(step, data, attempt)
    story.end(step, attempt, output=answer)


def _cut(draw: st.DrawFn, story: Story, step: str, attempt: int) -> None:
    frames = _frames_of(draw, _answer(draw, True))
    for data in frames[: draw(st.integers(0, len(frames)))]:
        story.emit(step, data, attempt)
    if draw(st.booleans()):
        story.end(step, attempt, how=EventType.STEP_RETRY, error={"type": "StreamCut", "message": ""})
    else:
        story.epoch += 1  # another worker
        story.write(EventType.RUN_RECOVER, claims=2)


def _chat(draw: st.DrawFn, story: Story, chat: str) -> None:
    for turn in range(1, 3):
        answer = _answer(draw, turn == 1)
        _stream(draw, story, naming.model_step(chat, turn), answer)
        if not (calls := answer["message"]["tool_calls"]):
            return
        _perform(draw, story, chat, turn, calls)


def _perform(draw: st.DrawFn, story: Story, chat: str, turn: int, calls: list[dict[str, Any]]) -> None:
    fates = [draw(st.sampled_from(["done", "failed", "refused", "approved", "denied"])) for _ in calls]
    plan = [{"problem": "no" if fate == "refused" else "", "needs_approval": False} for fate in fates]
    story.perform(naming.plan_step(chat, turn), plan)
    steps = [naming.tool_step(chat, turn, number, call["name"]) for number, call in enumerate(calls, start=1)]
    asked = [(step, fate) for step, fate in zip(steps, fates, strict=True) if fate in ("approved", "denied")]
    for step, _ in asked:
        _ask(story, naming.approval_step(step), f"q {step}")
    for index, (step, fate) in enumerate(asked):
        if not index or draw(st.booleans()):  # people may be quicker than the run is idle
            story.write(EventType.RUN_WAIT, reason="people", until=None)
            story.write(EventType.RUN_RESUME)
        _decide(story, naming.approval_step(step), f"q {step}", fate == "approved")
    for step, fate in zip(steps, fates, strict=True):
        if fate in ("done", "approved"):
            story.perform(step, f"result of {step}")
        elif fate == "failed":
            story.begin(step, kind="run")
            story.end(step, how=EventType.STEP_FAIL, error={"type": "ValueError", "message": "no"})


def _ask(story: Story, step: str, question: str) -> None:
    story.begin(step, kind="transaction")
    story.write(
        EventType.QUESTION_ASK, step, None, question=question, title="?", kind="tool_call", quorum=1, digest="d" * 64
    )
    story.end(step, output={"id": question})


def _decide(story: Story, step: str, question: str, approved: bool) -> None:
    decision = "approve" if approved else "deny"
    story.write(EventType.QUESTION_ANSWER, step, None, question=question, decision=decision, comment="")
    answers = [{"by": "alice", "decision": decision, "value": None, "comment": ""}]
    story.perform(f"{step}: outcome", {"decision": decision, "value": None, "answers": answers}, "transaction")


def _two_at_once(draw: st.DrawFn, story: Story, name: str) -> None:
    """Two answers whose frames and ends mix; the first may be begun anew in the midst of the other."""
    answers = {f"{name}.a": _answer(draw, True), f"{name}.b": _answer(draw, True)}
    for step in answers:
        story.begin(step)
    left = {step: _frames_of(draw, answer) for step, answer in answers.items()}
    attempts = dict.fromkeys(answers, 1)
    restart_at = draw(st.integers(0, 12))
    while any(left.values()):
        step = draw(st.sampled_from(sorted(step for step in left if left[step])))
        story.emit(step, left[step].pop(0), attempts[step])
        restart_at -= 1
        if restart_at == 0:
            story.end(step, attempts[step], how=EventType.STEP_RETRY, error={"type": "StreamCut", "message": ""})
            attempts[step] += 1
            story.begin(step, attempts[step])
            left[step] = _frames_of(draw, answers[step])
    for step in sorted(answers):
        story.end(step, attempts[step], output=answers[step])


def _speaking(draw: st.DrawFn, story: Story, step: str) -> None:
    """A streaming step that is no model call; what it says and what it gives may have nothing in common."""
    text = draw(_TEXTS)
    as_frame = draw(st.sampled_from([lambda piece: piece, lambda piece: {"type": "text", "text": piece}]))
    story.begin(step)
    for piece in _pieces(draw, text):
        story.emit(step, as_frame(piece))
        if draw(st.booleans()):
            story.emit(step, {"percent": 5})
    story.end(step, output=draw(st.sampled_from([text, {"text": text}, {"exit": 0}, "something else"])))


def _plain(draw: st.DrawFn, story: Story, step: str) -> None:
    story.perform(step, draw(st.sampled_from([1, "x", {"y": None}])), draw(st.sampled_from(["run", "child", "sleep"])))
    story.write(EventType.RUN_PROGRESS, current=1, total=2, message="half")


def _waits(draw: st.DrawFn, story: Story, step: str) -> None:
    """For a time, or for somebody's input."""
    is_question = draw(st.booleans())
    if is_question:
        _ask(story, step, f"q {step}")
    story.write(EventType.RUN_WAIT, reason="", until=None)
    story.write(EventType.RUN_RESUME)
    if is_question:
        _decide(story, step, f"q {step}", True)


def _changes_state(draw: st.DrawFn, story: Story, step: str) -> None:
    for _ in range(draw(st.integers(1, 3))):
        story.write(
            EventType.STATE_PATCH,
            patch=[{"op": "add", "path": "/" + draw(st.sampled_from("xy")), "value": draw(st.integers(0, 9))}],
        )


def _end(draw: st.DrawFn, story: Story) -> None:
    end = draw(st.sampled_from(["complete", "complete", "fail", "cancel"]))
    if end == "complete":
        story.write(EventType.RUN_COMPLETE, output=draw(st.sampled_from([None, "the end", {"text": "x"}])))
        return
    if draw(st.booleans()):
        story.begin("last")
        for data in _frames_of(draw, _answer(draw, True)):
            story.emit("last", data)
        story.end("last", how=EventType.STEP_CANCEL)
    if end == "fail":
        story.write(EventType.RUN_FAIL, error={"type": "ValueError", "message": "no", "traceback": "secret"})
    else:
        story.write(EventType.RUN_CANCEL, actor={"kind": "user"}, reason="")
