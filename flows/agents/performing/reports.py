"""The documents that a step writes: by a tool, or what the agent answers; kept with the run as artefacts."""

from collections.abc import Sequence
from dataclasses import replace

from flows.agents import naming
from flows.agents.calls import AgentCall, Answer
from flows.agents.performing.structured import without_last_block
from flows.agents.rules.tags import without_tags
from flows.agents.spec import Step
from flows.llm.tools import Tool, ToolRefused, tool
from providers.messages import Message

TOOL = "write_report"


def report_tool(step: Step) -> Tool:
    """`write_report`: it changes nothing but what the step leaves, so every permission has it."""
    names = [one.name for one in step.reports]

    @tool(name=TOOL, description=f"Write a report of this step: {', '.join(names)}. Writing it again replaces it.")
    def write_report(name: str, content: str) -> str:
        if name not in names:
            raise ToolRefused(f"This step has no report {name[:100]!r}", f"Write one of: {', '.join(names)}.")
        return f"The report {name} is written."

    return write_report


def written(step: Step, said: Sequence[Message]) -> dict[str, str]:
    """The reports that were written by the tool in these messages, each as it was written last."""
    names = {one.name for one in step.reports}
    refused = {one.tool_call_id for one in said if one.role == "tool" and one.is_error}
    calls = [call for one in said for call in one.tool_calls if call.name == TOOL and call.id not in refused]
    return {
        call.arguments["name"]: str(call.arguments["content"])
        for call in calls
        if call.arguments.get("name") in names and "content" in call.arguments
    }


async def keep(call: AgentCall, answer: Answer) -> Answer:
    """The answer with the reports of its step, each a version of the artefact of its name. Raises StepFailed.

    What the agent did not write by the tool is its answer, without what it says to the flow alone; of one that is
    blocked only what it wrote is kept.
    """
    text = plain_text(call.step, answer.content)
    unwritten = {one.name: text for one in call.step.reports} if answer.status == "done" else {}
    reports = unwritten | answer.reports
    for name, content in reports.items():
        step_name = naming.part(call.name, f"report {name}")
        await call.scene.step.save_artifact(name, content, media_type=media_type_of(name), step_name=step_name)
    return replace(answer, reports=reports)


def plain_text(step: Step, content: str) -> str:
    """An answer without its tags, and without the block of its structured output."""
    text = without_last_block(content) if step.output_schema is not None else content
    return without_tags(step.name, text).strip()


def media_type_of(name: str) -> str | None:
    """Markdown where the name does not say otherwise; None leaves it to the name."""
    return None if "." in name and not name.endswith(".md") else "text/markdown"
