"""The names of a run's steps say where in the flow they belong, and are read back."""

from hypothesis import given
from hypothesis import strategies as st

from flows.agents import naming
from flows.agents.naming import Place, place_of
from flows.llm.tools.naming import model_step, tool_step

names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.-]{0,10}( [A-Za-z0-9_.-]{1,10})?", fullmatch=True)


@given(iteration=st.integers(1, 9999), step=names, sub=names | st.just(""), again=st.integers(0, 20))
def test_a_name_is_read_back_as_the_place_that_it_was_made_of(iteration: int, step: str, sub: str, again: int) -> None:
    work = naming.work(iteration, step, sub)
    assert place_of(work) == Place(iteration, step, sub)
    assert place_of(naming.part(work, naming.JUDGE, again)) == Place(
        iteration, step, sub, f"judge again #{again}" if again else "judge"
    )
    assert place_of(naming.again(work, again + 1)) == Place(iteration, step, sub, f"again #{again + 1}")
    assert place_of(model_step(work, again + 2)) == Place(iteration, step, sub, f"#{again + 2}")
    assert place_of(tool_step(work, 1, 2, "read_file")) == Place(iteration, step, sub, "read_file#1.2")


def test_judges_are_told_apart_from_other_parts() -> None:
    for part in ("judge", "label judge", "judge 3", "loop judge", "judge again #1"):
        found = place_of(f"2. plan: {part}")
        assert found is not None
        assert found.is_judge, part
    for name in ("2. plan", "2. plan: instruction", "2. judge", "2. plan: judge it#1.1", "2. plan: answer by agent"):
        found = place_of(name)
        assert found is not None
        assert not found.is_judge, name


def test_what_an_agent_answers_for_people_is_a_part_of_its_iteration() -> None:
    assert place_of(naming.part("2. plan", naming.AGENT_ANSWER)) == Place(2, "plan", "", "answer by agent")


def test_other_steps_belong_to_no_iteration() -> None:
    for name in ("read the definition", "workspace", "0. a", "a", "1.a"):
        assert place_of(name) is None
