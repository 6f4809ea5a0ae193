"""The table of tags by which an agent says which condition holds."""

from flows.agents.instructions.situation import Situation
from flows.agents.instructions.texts import Texts
from flows.agents.instructions.variables import filled
from flows.agents.rules.conditions import And, Label, label_of, parse
from flows.agents.rules.tags import tag_of
from flows.agents.spec import Rule, Step


def rules(step: Step, situation: Situation, texts: Texts) -> str:
    """Empty where the agent has nothing to say: all rules are `all()`, `any()`, `ai()` or `when()`."""
    told = [(number, rule) for number, rule in enumerate(step.rules, start=1) if _is_for_the_agent(rule)]
    if not told:
        return ""
    rows = [
        f"| {number} | {_cell(label_of(rule.condition))} | `{tag_of(step.name, number)}` |" for number, rule in told
    ]
    rule = texts.status_rule if len(told) == len(step.rules) else texts.status_rule_open
    appendices = [_appendix(tag_of(step.name, number), one, situation, texts) for number, one in told if one.appendix]
    return "\n".join([texts.status, rule, "", texts.table_head, *rows, *appendices])


def _is_for_the_agent(rule: Rule) -> bool:
    match parse(rule.condition):
        case Label():
            return True
        case And(parts):
            return any(isinstance(part, Label) for part in parts)
    return False


def _appendix(tag: str, rule: Rule, situation: Situation, texts: Texts) -> str:
    return f"\n{texts.appendix.format(tag=tag)}\n{filled(rule.appendix, situation, texts).strip()}"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
