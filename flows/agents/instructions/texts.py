"""The words around what a flow says itself, once per language. `{}`-fields are filled in by `sections`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    policy: str
    knowledge: str

    execution: str
    working_directory: str
    execution_rules: str
    no_commit: str
    no_cd: str
    editing_on: str
    editing_asked: str
    editing_off: str

    workflow: str
    iteration: str
    unlimited: str
    step_iteration: str
    step: str
    role: str
    report_directory: str
    report_file: str
    report_place: str

    request: str
    previous: str
    inputs: str

    reports: str
    report_by_tool: str
    report_by_answer: str
    report_format: str

    instructions: str

    gates: str
    gate_command: str

    structured: str
    structured_rule: str

    blocked: str
    blocked_rule: str

    status: str
    status_rule: str
    status_rule_open: str
    table_head: str
    appendix: str

    nothing: str
    everything: str
