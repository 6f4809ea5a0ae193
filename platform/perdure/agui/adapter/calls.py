"""The tool calls of a run's chats: which steps perform them, decide about them, and tell their results."""

import json
from dataclasses import dataclass
from typing import Any, Final

from flows.llm.tools import naming, told
from perdure.agui.adapter.parts import WholeCall


@dataclass(frozen=True, slots=True)
class Result:
    call: WholeCall
    content: str
    is_error: bool = False


STOPPED: Final = "The run was stopped before this call was done."


class Calls:
    def __init__(self) -> None:
        self._by_step: dict[str, WholeCall] = {}
        self._by_approval: dict[str, WholeCall] = {}
        self._by_plan: dict[str, tuple[WholeCall, ...]] = {}
        self._answered: set[str] = set()

    def add(self, model_step: str, calls: tuple[WholeCall, ...]) -> None:
        """Those that a model asked for in the step."""
        chat, turn = naming.chat_and_turn(model_step)
        self._by_plan[naming.plan_step(chat, turn)] = calls
        for number, call in enumerate(calls, start=1):
            step = naming.tool_step(chat, turn, number, call.name)
            self._by_step[step] = self._by_approval[naming.approval_step(step)] = call

    def asked_about(self, question_step: str) -> str | None:
        """The id of the call whose approval the step asks for."""
        call = self._by_approval.get(question_step)
        return call.id if call else None

    def results(self, step: str, data: dict[str, Any], failed: bool) -> list[Result]:
        """What the end of a step says about calls; each call is answered once."""
        found = self._failure(step, data) if failed else self._results(step, data.get("output"))
        new = [one for one in found if one.call.id not in self._answered]
        self._answered.update(one.call.id for one in new)
        return new

    def _failure(self, step: str, data: dict[str, Any]) -> list[Result]:
        call = self._by_step.get(step)
        return [Result(call, told.failure_text(call.name, data.get("error") or {}), True)] if call else []

    def _results(self, step: str, output: Any) -> list[Result]:
        if call := self._by_step.get(step):
            return [Result(call, _text_of(output))]
        if planned := self._by_plan.get(step):
            return _refused(planned, output)
        if (decided := naming.decided_step(step)) and (call := self._by_step.get(decided)):
            denial = told.denial_text(output if isinstance(output, dict) else None, call.arguments)
            return [Result(call, denial, True)] if denial else []
        return []

    def give_up(self) -> list[Result]:
        """Results of those that have none, of a run that was stopped: no model goes on from a call without one."""
        left = [call for call in self._by_step.values() if call.id not in self._answered]
        self._answered.update(call.id for call in left)
        return [Result(call, STOPPED, True) for call in left]

    def pending(self, output: Any) -> list[str]:
        """The ids of the calls that a run's output leaves to its client."""
        listed = output.get("pending_calls") if isinstance(output, dict) else None
        wanted = [one.get("id") for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
        open_calls = {call.vendor_id: call.id for call in self._by_step.values() if call.id not in self._answered}
        return [open_calls[vendor_id] for vendor_id in wanted if vendor_id in open_calls]


def _text_of(output: Any) -> str:
    """Of a step that a fork or an operator gave a result, that may be anything."""
    if isinstance(output, str) or (isinstance(output, dict) and "text" in output):
        return told.result_text(output)
    return json.dumps(output, ensure_ascii=False)


def _refused(planned: tuple[WholeCall, ...], output: Any) -> list[Result]:
    plans = output if isinstance(output, list) else []
    pairs = [(call, plan.get("problem")) for call, plan in zip(planned, plans, strict=False) if isinstance(plan, dict)]
    return [Result(call, str(problem), True) for call, problem in pairs if problem]
