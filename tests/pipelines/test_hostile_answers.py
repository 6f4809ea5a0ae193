"""Looking for JSON in a text ends soon, whatever the text is."""

import time

import pytest

from flows.pipelines import outputs
from flows.pipelines.errors import UnusableOutput
from flows.pipelines.spec import StepDef

STEP = StepDef.model_validate({"id": "a", "output_type": "json"})


@pytest.mark.parametrize(
    "text",
    ["[" * 99_000, "x " + "[" * 99_000, "x " + "[1," * 33_000, "x " + "[" * 900 + "1," * 400_000,
     "```" + "\n" * 100_000],
    ids=range(5),
)  # fmt: skip
def test_a_text_that_never_becomes_json_is_given_up(text: str) -> None:
    started = time.process_time()
    with pytest.raises(UnusableOutput):
        outputs._json(STEP, text)
    assert time.process_time() - started < 5


def test_json_in_other_text_is_found() -> None:
    for text in ('See [1]: {"a": 1}', 'Here:\n```json\n{"a": 1}\n```', "``` \n[1]\n```", "no [x] but [2, {}] is"):
        assert outputs._json(STEP, text) in ({"a": 1}, [1], [2, {}])
