"""Which rule answers which call."""

from typing import Any

import pytest
from pydantic import ValidationError

from tests.vendors.answers import compose
from tests.vendors.instances import instance
from tests.vendors.prompts import Prompt, Turn
from tests.vendors.script import Script


def prompt(text: str = "hello", **more: Any) -> Prompt:
    return Prompt("openai", "chat", more.pop("model", "m"), {}, (Turn("user", text),), **more)


def answers(rules: Any, *texts: str) -> list[str]:
    script = Script.read(rules)
    return [compose(prompt(text), script.choose(prompt(text))).text for text in texts]


def test_the_first_rule_that_fits_answers() -> None:
    rules = [{"match": "^b", "text": "B"}, {"match": "a", "text": "A"}, {"text": "else"}]
    assert answers(rules, "bar", "a bar", "c") == ["B", "A", "else"]


def test_a_rule_is_used_up() -> None:
    assert answers([{"times": 2, "text": "A"}, {"text": "B"}], "1", "2", "3") == ["A", "A", "B"]


def test_nth_and_every_count_the_calls_that_fit() -> None:
    rules = [{"match": "x", "nth": [2, 4], "text": "nth"}, {"every": 3, "text": "third"}, {"text": "-"}]
    assert answers(rules, "x", "y", "x", "x", "x", "y") == ["-", "-", "nth", "-", "nth", "third"]


def test_conditions_on_model_and_turn() -> None:
    script = Script.read([{"model": "big-*", "text": "big"}, {"turn": 2, "text": "second"}])
    talk = (Turn("user", "a"), Turn("assistant"), Turn("tool", "r"))
    assert script.choose(prompt(model="big-1")).text == "big"
    assert script.choose(Prompt("openai", "chat", "m", {}, talk)).text == "second"
    assert script.choose(prompt()).text is None


def test_pieces_put_together_are_the_text() -> None:
    text = "  One two  three\nfour five\n\nsix seven eight  "
    answer = compose(prompt(), Script.read([{"text": text}]).choose(prompt()))
    assert len(answer.chunks) > 2
    assert answer.text == text


@pytest.mark.parametrize(
    "rule", [{"txt": "A"}, {"match": "("}, {"fault": "fire"}, {"status": 418}, {"tool_calls": [{"name": 1}]}]
)
def test_a_rule_that_is_wrong_is_told(rule: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Script.read([rule])


def test_an_instance_has_what_is_required() -> None:
    schema = {
        "$defs": {"Part": {"type": "object", "properties": {"n": {"type": "number"}}, "required": ["n"]}},
        "properties": {
            "parts": {"type": "array", "items": {"$ref": "#/$defs/Part"}, "minItems": 2},
            "kind": {"enum": ["x", "y"]},
            "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            "left": {"type": "boolean"},
        },
        "required": ["parts", "kind", "note"],
    }
    assert instance(schema, "text") == {"parts": [{"n": 0}, {"n": 0}], "kind": "x", "note": "text"}
