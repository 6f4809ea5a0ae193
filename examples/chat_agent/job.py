"""The job: one turn of a conversation, from what the user said to the answer, or to calls of the frontend's tools."""

from datetime import timedelta

from examples.answering import answered_by
from examples.chat_agent.people import approvers
from examples.chat_agent.profiles import chosen_profile
from examples.chat_agent.prompt import system
from examples.chat_agent.schema import Reply
from examples.chat_agent.tools import tools_for
from flows.llm.chat import chat
from flows.llm.conversation import Conversation, newest
from flows.llm.tools import Approval
from providers.messages import Message
from runs.jobs import StepContext, job

TURNS = 10
MOST_CHARACTERS = 300_000
"""Of the conversation, about 75,000 tokens: what models of today take, with room for what tools say."""
DEADLINE = timedelta(days=7)
OPENING = Message(role="user", content="What can you do?")


@job("chat-agent", agui=True)
async def chat_agent(step: StepContext, conversation: Conversation) -> Reply:
    """Answer in a conversation, with the tools of this installation and those of the frontend."""
    if conversation.state:
        step.state.set(conversation.state)
    to = await step.run("find-approvers", approvers, step.run_id)
    tools = tools_for(step)
    own = {one.name for one in tools}
    # a frontend's tool under the name of one of these would be a way round its approval, or hide it
    clients = {one.name: one for one in conversation.tools if one.name not in own}
    answer = await chat(
        step, "answer", newest(conversation.said(), MOST_CHARACTERS) or [OPENING], system=system(conversation),
        profile=chosen_profile(conversation.props), tools=tools, client_tools=list(clients.values()),
        approve=Approval(to=tuple(to), starter_may_answer=True, deadline=DEADLINE), max_turns=TURNS,
    )  # fmt: skip
    return Reply(
        text=answer.text, pending_calls=answer.pending_calls, usage=answer.usage, answered_by=answered_by(answer),
        turns=answer.turns,
    )  # fmt: skip
