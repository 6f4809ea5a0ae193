"""A whole flow over a scenario, as plainly as can be: only what `naive` knows, and a list of entries."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from tests.agents import naive


class Told(NamedTuple):
    """How a flow went. `reason` is None for one that completed; `matched` has the step, the condition, the method."""

    reason: str | None
    path: list[str]
    matched: list[tuple[str, str | None, str]]


class _Aborted(Exception):
    pass


class Flow:
    """`document` is a `spec.Flow` as JSON; its steps are agents, alone or in parallel. Nobody answers a question."""

    def __init__(self, document: Mapping[str, Any], scenario: list[dict[str, Any]], whens: naive.Whens) -> None:
        self.steps = {step["name"]: step for step in document["steps"]}
        self.document, self.whens = document, whens
        self.unused = list(scenario)
        self.context: dict[str, Any] = {"iteration": 0, "step_iteration": 0, "task": "t"}
        self.told = Told(None, [], [])
        self.done: list[str] = []

    def run(self) -> Told:
        try:
            self.go()
        except _Aborted as aborted:
            return self.told._replace(reason=str(aborted))
        return self.told

    def go(self) -> None:
        name = self.document["steps"][0]["name"]
        while name != "COMPLETE":
            if len(self.told.path) >= self.document["max_steps"]:
                raise _Aborted("iteration_limit")
            if self.told.path[-1:] == [name] and self.times_in_a_row() >= self.document["max_same"]:
                raise _Aborted("loop_detected")
            self.told.path.append(name)
            self.context["iteration"] = len(self.told.path)
            self.context["step_iteration"] = self.told.path.count(name)
            name = self.after(self.steps[name])
            if name == "ABORT":
                raise _Aborted("step_transition")

    def times_in_a_row(self) -> int:
        last, times = self.told.path[-1], 0
        for name in reversed(self.told.path):
            if name != last:
                break
            times += 1
        return times

    def after(self, step: Mapping[str, Any]) -> str:
        answer, subs = self.parallel(step) if step.get("parallel") else (self.agent(step), [])
        found = self.choice(step, answer, subs)
        if found is None:
            raise _Aborted("rule_no_match")
        rule = step["rules"][found.rule] if found.rule is not None else None
        self.told.matched.append((step["name"], rule and rule["condition"], found.method))
        target = self.target(step, rule, found)
        return self.past_the_monitor(step["name"], target)

    def target(self, step: Mapping[str, Any], rule: Any, found: naive.Found) -> str:
        if rule is not None:
            return str(rule["next"])
        if found.method == "default":
            return str(step["default"])
        names = [*self.steps, "COMPLETE"]
        return names[names.index(step["name"]) + 1]

    def past_the_monitor(self, name: str, target: str) -> str:
        monitor = self.document.get("monitor")
        self.done.append(name)
        if monitor is None or target != monitor["cycle"][0]:
            return target
        wanted = monitor["cycle"] * monitor["threshold"]
        if self.done[-len(wanted) :] != wanted:
            return target
        self.done = []
        said = self.entry("judge")
        number = self.verdict(said["content"]) if said is not None and said.get("status") != "error" else None
        return monitor["targets"][number - 1] if number in (1, 2) else target

    def agent(self, step: Mapping[str, Any]) -> str:
        entry = self.entry(step["persona"])
        if entry is None or entry.get("status") == "error":
            raise _Aborted("step_error")
        if entry.get("status") == "blocked":
            raise _Aborted("blocked")
        return str(entry["content"])

    def parallel(self, step: Mapping[str, Any]) -> tuple[str, list[naive.Sub]]:
        entries = [self.entry(sub["persona"]) for sub in step["parallel"]]
        statuses = ["error" if entry is None else entry.get("status", "done") for entry in entries]
        if "blocked" in statuses:
            self.judge_all(step, entries, statuses)
            raise _Aborted("blocked")
        subs = self.judge_all(step, entries, statuses)
        if all(status == "error" for status in statuses):
            raise _Aborted("step_error")
        # a failed one has its error's words there, which in a scenario are its content
        parts = [
            f"## {sub['name']}\n{entry['content'] if entry else ''}"
            for sub, entry in zip(step["parallel"], entries, strict=True)
        ]
        return "\n\n---\n\n".join(parts), subs

    def judge_all(self, step: Mapping[str, Any], entries: list[Any], statuses: list[str]) -> list[naive.Sub]:
        subs = []
        for sub, entry, status in zip(step["parallel"], entries, statuses, strict=True):
            found = self.choice(sub, entry["content"], []) if status == "done" else None
            rule = sub["rules"][found.rule]["condition"] if found and found.rule is not None else None
            subs.append(naive.Sub(status, rule))
        return subs

    def choice(self, step: Mapping[str, Any], answer: str, subs: list[naive.Sub]) -> naive.Found | None:
        conditions = [rule["condition"] for rule in step.get("rules", [])]
        rules = naive.Rules(step["name"], conditions, answer, subs, self.whens, self.context)
        return rules.find(self.judge, self.document["rule_order"], "default" in step)

    def judge(self, conditions: list[str]) -> int | None:
        entry = self.entry("judge")
        if entry is None or entry.get("status") == "error":
            raise _Aborted("step_error")
        return self.verdict(entry["content"])

    def verdict(self, said: str) -> int | None:
        _, _, rest = said.partition("[JUDGE:")
        number = rest.partition("]")[0]
        return int(number) if number.isdigit() else None

    def entry(self, persona: str) -> dict[str, Any] | None:
        for wanted in (persona, None):
            for entry in self.unused:
                if entry.get("persona") == wanted:
                    self.unused.remove(entry)
                    return entry
        return None
