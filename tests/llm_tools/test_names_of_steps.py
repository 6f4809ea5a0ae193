"""The names of a chat's steps can be read back, whatever chats and tools are called."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.llm.tools import naming

CHATS = st.text(min_size=1, max_size=30).filter(lambda text: naming.chat_and_turn(text) == (text, 1))
NUMBERS = st.integers(1, 200)
QUIET = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a loaded machine is slow


@QUIET
@given(CHATS, NUMBERS)
def test_a_model_call_tells_its_chat_and_turn(chat: str, turn: int) -> None:
    assert naming.chat_and_turn(naming.model_step(chat, turn)) == (chat, turn)
    assert naming.chat_and_turn_of_plan(naming.plan_step(chat, turn)) == (chat, turn)


@QUIET
@given(CHATS, NUMBERS, NUMBERS, st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True))
def test_a_call_and_its_approval_tell_which_call_it_is(chat: str, turn: int, number: int, tool: str) -> None:
    step = naming.tool_step(chat, turn, number, tool)
    approval = naming.approval_step(step)
    for name in (step, approval, f"{approval}: answer", f"{approval}: outcome 2"):
        assert naming.chat_turn_and_number(name) == (chat, turn, number)
    assert naming.decided_step(f"{approval}: outcome") == naming.decided_step(f"{approval}: outcome 3") == step
    assert naming.decided_step(approval) is None


def test_other_steps_are_neither() -> None:
    for name in ("answer", "answer #2", "a: b", "deploy: approval: outcome of it"):
        assert naming.chat_turn_and_number(name) is naming.chat_and_turn_of_plan(name) is naming.decided_step(name)
