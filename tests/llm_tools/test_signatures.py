"""What a model is told of a function, and which functions no model can call."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import BaseModel, Field, SecretStr

from flows.llm.tools import Tool, tool
from flows.llm.tools.definition import by_name
from flows.llm.tools.errors import ArgumentsUnfit, InvalidTool
from flows.llm.tools.signature import read_docstring
from runs.jobs import StepContext


class Place(BaseModel):
    city: str
    country: str = "CH"


@tool
async def weather(place: Place, days: int = 1, unit: Literal["C", "F"] = "C") -> str:
    """Say what the weather will be.

    Not further ahead than a week.

    Args:
        place: Where,
            as exactly as you can.
        days (int): How many days ahead.

    Returns:
        A sentence.
    """
    return f"{place.city} {days} {unit}"


def test_the_schema_comes_from_types_and_docstring() -> None:
    spec = weather.spec
    assert (spec.name, spec.description) == (
        "weather", "Say what the weather will be.\n\nNot further ahead than a week.",
    )  # fmt: skip
    properties = spec.parameters["properties"]
    assert properties["place"]["description"] == "Where, as exactly as you can."
    assert properties["days"] == {
        "default": 1,
        "description": "How many days ahead.",
        "title": "Days",
        "type": "integer",
    }
    assert properties["unit"]["enum"] == ["C", "F"]
    assert spec.parameters["required"] == ["place"]
    assert spec.parameters["additionalProperties"] is False
    Draft202012Validator.check_schema(spec.parameters)


def test_arguments_become_what_the_function_declares() -> None:
    assert weather.signature.parse({"place": {"city": "Bern"}, "days": "3"}) == {"place": Place(city="Bern"), "days": 3}
    with pytest.raises(ArgumentsUnfit, match=r"place\.city: Field required; day: Extra inputs"):
        weather.signature.parse({"place": {}, "day": 1})
    with pytest.raises(ArgumentsUnfit, match="arguments: Input should be a valid dict"):
        weather.signature.parse(["Bern"])


def test_sphinx_and_annotations_describe_parameters_too() -> None:
    @tool(name="find")
    def search(text: Annotated[str, Field(description="What to find.")], limit: int) -> list[str]:
        """Find a text.

        :param limit: At most so many.
        """
        return [text] * limit

    assert {key: part["description"] for key, part in search.parameters["properties"].items()} == {
        "text": "What to find.", "limit": "At most so many.",
    }  # fmt: skip
    assert search.description == "Find a text."
    assert search("a", 2) == ["a", "a"]


def test_parameters_may_have_the_names_of_a_models_methods() -> None:
    @tool
    def store(json: str, copy: bool, schema: str, model_config: str = "") -> None:
        """Take odd names."""

    assert store.signature.parse({"json": "{}", "copy": True, "schema": "s"})["json"] == "{}"


def _varied(*words: str) -> None: ...
def _context(step: StepContext) -> None: ...
def _secret(password: SecretStr) -> None: ...
def _opaque(what: Callable[[], None]) -> None: ...
def _unknown(what: "Nowhere") -> None: ...  # type: ignore[name-defined]  # noqa: F821


@pytest.mark.parametrize(
    ("function", "problem"),
    [
        (_varied, "takes '\\*words"), (_context, "not JSON.*current_call"), (_secret, "takes a secret"),
        (_opaque, "not JSON"), (_unknown, "not JSON"), (Place, "is no function"), (lambda: None, "no vendor takes"),
    ],
)  # fmt: skip
def test_what_no_model_can_call_is_refused_where_it_is_declared(function: Any, problem: str) -> None:
    with pytest.raises(InvalidTool, match=problem):
        tool(function)


def test_what_decides_about_approval_is_no_coroutine() -> None:
    async def wanted(arguments: Any) -> bool:
        return True

    with pytest.raises(InvalidTool, match="async needs_approval"):
        tool(needs_approval=wanted)(_plain)


def test_two_tools_of_one_name_are_not_handed_to_a_model() -> None:
    with pytest.raises(InvalidTool, match="given twice"):
        by_name([weather, tool(name="weather")(lambda: None)])
    assert list(by_name([weather, _plain])) == ["weather", "_plain"]


def _plain(word: str) -> str:
    """A function that nobody decorated."""
    return word


def test_a_method_knows_its_object() -> None:
    class Shelf:
        def __init__(self) -> None:
            self.books = ["one"]

        def borrow(self, title: str) -> str:
            return f"{title} of {self.books}"

    borrowed = Tool.of(Shelf().borrow)
    assert list(borrowed.parameters["properties"]) == ["title"]
    assert borrowed.function(**borrowed.signature.parse({"title": "it"})) == "it of ['one']"


@given(st.text(alphabet=st.sampled_from("ab :()\n\tArgs:param.*"), max_size=200))
def test_any_docstring_is_read(text: str) -> None:
    summary, notes = read_docstring(text)
    assert isinstance(summary, str)
    assert all(name.isidentifier() or name[:1].isdigit() for name in notes)
