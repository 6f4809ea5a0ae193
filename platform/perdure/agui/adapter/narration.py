"""A run's log as what its client is told: one function for each type of event that says something."""

from collections.abc import Callable, Sequence
from typing import Any, Final
from uuid import UUID

from ag_ui.core import (
    Interrupt,
    Message,
    ReasoningMessage,
    RunErrorEvent,
    RunFinishedCancelledOutcome,
    RunFinishedEvent,
    RunFinishedInterruptOutcome,
    RunFinishedOutcome,
    RunFinishedSuccessOutcome,
    TokenUsage,
    aggregate_token_usage,
)

from flows.llm.tools import naming
from perdure.agui.adapter import ids, recorded
from perdure.agui.adapter.answers import ComingAnswers
from perdure.agui.adapter.asked import OpenQuestions
from perdure.agui.adapter.calls import Calls, Result
from perdure.agui.adapter.conversation import Conversation
from perdure.agui.adapter.opening import Opening
from perdure.agui.adapter.outlet import Outlet
from perdure.agui.adapter.parts import Whole
from perdure.agui.adapter.shared_state import SharedState
from perdure.agui.adapter.streamed import StreamedAnswer
from runs.events.types import EventType, LiveType, RunEvent

PROGRESS: Final = "perdure.progress"
ERROR_CHARACTERS: Final = 2_000
_SHOWN_KINDS: Final = frozenset({"run", "stream", "child"})
"""Of steps that clients see begin and end. Waits, timers and what questions need would only be noise."""


class Narration:
    def __init__(self, run: UUID, history: Sequence[Message], state: Any, outlet: Outlet) -> None:
        self._run, self._outlet = run, outlet
        self.conversation = Conversation(run, history)
        self.state = SharedState(state)
        self.questions = OpenQuestions()
        self.answers = ComingAnswers(run, outlet)
        self.opening = Opening("", "")
        self._calls = Calls()
        self._usage: list[TokenUsage] = []
        self._kinds: dict[str, str] = {}
        self._differs = False

    @property
    def owes_snapshot(self) -> bool:
        """The client has messages that are not as they should be."""
        return self._differs or self.answers.was_discarded

    @owes_snapshot.setter
    def owes_snapshot(self, owes: bool) -> None:
        self._differs = self.answers.was_discarded = owes

    def begin(self, opening: Opening) -> None:
        self.opening, self._usage = opening, []
        self.state.begin()
        if opening.snapshots:
            self.state.tell(self._outlet)
            self._differs = True
        self.correct()

    def tell(self, event: RunEvent, interrupts: Sequence[Interrupt]) -> bool:
        """An event of the log. True if a protocol run ends with it."""
        if event.type == EventType.RUN_WAIT and self.questions:
            self._interrupt(interrupts)
            return True
        if end := _ENDS.get(event.type):
            end(self, event.data)
            return True
        if (about := _ABOUT_RUN.get(event.type)) or ((about := _ABOUT_STEP.get(event.type)) and event.step is not None):
            about(self, event)
        self.correct()
        return False

    def hear(self, event: RunEvent) -> None:
        """A stream frame, or that its step's frames begin anew."""
        answer = self.answers.of_frame(event)
        if answer is not None and event.type == LiveType.STREAM:
            answer.take(event.offset or 0, event.data)
        elif answer is not None:
            answer.reset(int(event.data.get("truncated") or 0))
        self.correct()

    def correct(self) -> None:
        """All messages once more, if the client has others; last of what an event is told as, because it waits until
        all is known that it must say."""
        known = [answer for answer in self.answers if answer.was_told]
        if not self.owes_snapshot or not self._outlet.is_open or not all(one.is_known for one in known):
            return
        messages = self.conversation.with_begun(known)
        if not any(isinstance(message, ReasoningMessage) for message in messages):
            # without any reasoning a snapshot leaves the client's as it is: what was discarded is emptied instead
            messages += [ReasoningMessage(id=one, content="") for one in self.answers.emptied]
        self.answers.emptied.clear()
        self.owes_snapshot = False
        self._outlet.messages(messages)

    # Steps -------------------------------------------------------------------------------------------------------

    def _step_start(self, event: RunEvent) -> None:
        step = str(event.step)
        self._kinds[step] = str(event.data.get("kind"))
        self.answers.begin(step, event.attempt or 1)
        if self._is_shown(step):
            self._outlet.start_step(step)

    def _step_complete(self, event: RunEvent) -> None:
        step, output = str(event.step), event.data.get("output")
        frames = int(event.data.get("frames") or 0)
        if frames or step in self.answers or recorded.is_reply(output):
            self._complete_answer(event, output, frames)
        for result in self._calls.results(step, event.data, failed=False):
            self._tell_result(step, result)
        self._end_step(event)

    def _complete_answer(self, event: RunEvent, output: Any, frames: int) -> None:
        answer = self.answers.of_end(str(event.step), event.attempt)
        if answer is None:
            return
        whole = recorded.whole_of(self._run, answer.step, answer.place.attempt, output, frames)
        self._differs |= self.conversation.forget(answer.step)  # a retried run may do again what it had done
        if whole.is_empty:
            self.answers.withdraw(answer)
        else:
            self._record(answer, whole, output)
        if usage := recorded.usage_of(output):
            self._usage.append(usage)

    def _record(self, answer: StreamedAnswer, whole: Whole, output: Any) -> None:
        self._differs |= not answer.complete(whole)
        self.conversation.add_answer(answer.step, answer.message_id, whole)
        if recorded.is_reply(output):
            self._calls.add(answer.step, whole.calls)
            self.conversation.model_messages[answer.message_id] = recorded.model_message(output, whole)

    def _tell_result(self, step: str, result: Result) -> None:
        message_id = self.conversation.add_result(step, result.call, result.content)
        self.conversation.model_messages[message_id] = {
            "role": "tool", "content": result.content, "tool_call_id": result.call.id, "tool_name": result.call.name,
            "is_error": result.is_error,
        }  # fmt: skip
        self._outlet.result(message_id, result.call.id, result.content)

    def _step_retry(self, event: RunEvent) -> None:
        self.answers.discard(str(event.step))
        self.answers.note_end(str(event.step), event.attempt)

    def _step_fail(self, event: RunEvent) -> None:
        self.answers.discard(str(event.step))
        for result in self._calls.results(str(event.step), event.data, failed=True):
            self._tell_result(str(event.step), result)
        self._end_step(event)

    def _step_cancel(self, event: RunEvent) -> None:
        self.answers.discard(str(event.step))
        self._end_step(event)

    def _end_step(self, event: RunEvent) -> None:
        step = str(event.step)
        self.answers.note_end(step, event.attempt)
        if self._is_shown(step):
            self._outlet.start_step(step)
            self._outlet.end_step(step)

    def _is_shown(self, step: str) -> bool:
        return self._kinds.get(step) in _SHOWN_KINDS and naming.chat_and_turn_of_plan(step) is None

    # The rest of the log -----------------------------------------------------------------------------------------

    def _question_ask(self, event: RunEvent) -> None:
        self.questions.ask(event.data, self._calls.asked_about(event.step or ""))

    def _question_answer(self, event: RunEvent) -> None:
        self.questions.answer(event.data)

    def _question_end(self, event: RunEvent) -> None:
        self.questions.close(event.data)

    def _state_patch(self, event: RunEvent) -> None:
        self.state.patch(event.data.get("patch") or [], self._outlet)

    def _progress(self, event: RunEvent) -> None:
        self._outlet.activity(ids.progress_id(self._run), PROGRESS, dict(event.data))

    # Ends --------------------------------------------------------------------------------------------------------

    def _interrupt(self, interrupts: Sequence[Interrupt]) -> None:
        given = interrupts or [question.as_interrupt() for question in self.questions]
        unique = {interrupt.id: interrupt for interrupt in given}
        for answer in self.answers:
            answer.close()
        self._finish(RunFinishedInterruptOutcome(interrupts=list(unique.values())))

    def _run_complete(self, data: dict[str, Any]) -> None:
        output = data.get("output")
        self.answers.discard_all()
        if isinstance(output, str) and output and not self.conversation.has_said(output):
            self._say_output(output)
        pending = self._calls.pending(output) if self.opening.speaks_1_0 else []
        self._finish(RunFinishedSuccessOutcome(pending_tool_call_ids=pending or None), output)

    def _say_output(self, output: str) -> None:
        message_id = ids.output_id(self._run)
        self.conversation.add_text(message_id, output)
        self._outlet.start_text(message_id)
        if self._outlet.is_open:
            self._outlet.text(message_id, output)
        self._outlet.end_text(message_id)

    def _run_cancel(self, data: dict[str, Any]) -> None:
        self.answers.discard_all()
        for result in self._calls.give_up():
            self._tell_result("", result)
        if self.opening.speaks_1_0:
            self._finish(RunFinishedCancelledOutcome())
        else:
            reason = str(data.get("reason") or "somebody cancelled it").rstrip(".")
            self.break_off("STOPPED", f"The run was stopped: {reason}.")

    def _run_fail(self, data: dict[str, Any]) -> None:
        self.answers.discard_all()
        error = data.get("error") or {}
        told = f"{error.get('type') or 'Error'}: {error.get('message') or 'the run failed'}"
        self.break_off("TASK_FAILED" if error.get("step") else "WORKFLOW_ERROR", told[:ERROR_CHARACTERS])

    def _finish(self, outcome: RunFinishedOutcome, output: Any = None) -> None:
        self._outlet.close_all()
        self.correct()
        finished = RunFinishedEvent(
            thread_id=self.opening.thread_id, run_id=self.opening.run_id, result=output, outcome=outcome,
            usage=aggregate_token_usage(self._usage) or None, timestamp=self._outlet.timestamp,
        )  # fmt: skip
        self._outlet.end(finished)

    def break_off(self, code: str, message: str) -> None:
        self._outlet.close_all()
        self.correct()
        usage = aggregate_token_usage(self._usage) or None
        self._outlet.end(RunErrorEvent(message=message, code=code, usage=usage, timestamp=self._outlet.timestamp))


_ENDS: Final[dict[str, Callable[[Narration, dict[str, Any]], None]]] = {
    EventType.RUN_COMPLETE: Narration._run_complete,
    EventType.RUN_CANCEL: Narration._run_cancel,
    EventType.RUN_FAIL: Narration._run_fail,
}
_ABOUT_STEP: Final[dict[str, Callable[[Narration, RunEvent], None]]] = {
    EventType.STEP_START: Narration._step_start,
    EventType.STEP_COMPLETE: Narration._step_complete,
    EventType.STEP_SKIP: Narration._step_complete,
    EventType.STEP_RETRY: Narration._step_retry,
    EventType.STEP_FAIL: Narration._step_fail,
    EventType.STEP_CANCEL: Narration._step_cancel,
}
_ABOUT_RUN: Final[dict[str, Callable[[Narration, RunEvent], None]]] = {
    EventType.RUN_PROGRESS: Narration._progress,
    EventType.STATE_PATCH: Narration._state_patch,
    EventType.QUESTION_ASK: Narration._question_ask,
    EventType.QUESTION_ANSWER: Narration._question_answer,
    EventType.QUESTION_EXPIRE: Narration._question_end,
    EventType.QUESTION_WITHDRAW: Narration._question_end,
}
