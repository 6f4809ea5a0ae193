"""The start of a run as code: what stands in it is what was typed, and nothing in it runs by itself.

That it runs is shown against real servers: by the clients' tests, and in a browser.
"""

import ast
import json
import re
import shlex
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from perdure.dashboard.start.copy_as import Wanted, snippets

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda one: st.lists(one, max_size=3) | st.dictionaries(TEXT, one, max_size=3),
    max_leaves=6,
)
JOB = 'it\'s a "job" $(id)'


def texts(value: Any) -> dict[str, str]:
    wanted = Wanted("http://localhost:8000", JOB, value, "a team", {"kind": "`x`"})
    return {one.key: one.text for one in snippets(wanted)}


@settings(max_examples=40, deadline=None)
@given(VALUES)
def test_each_language_holds_the_same_start(value: Any) -> None:
    found = texts(value)
    words = shlex.split(found["curl"].replace("\\\n", " "))
    assert words[2] == "http://localhost:8000/api/runs/"
    body = {"job": JOB, "input": value, "team": "a team", "labels": {"kind": "`x`"}}
    assert json.loads(words[words.index("--data-binary") + 1]) == body
    module = ast.parse(found["python"])
    assert next(ast.literal_eval(node.value) for node in module.body if isinstance(node, ast.Assign)) == value
    literal = found["typescript"].split("const given = ", 1)[1].split(";\n\nconst client", 1)[0]
    parsed = re.fullmatch(r"JSON\.parse\((.*)\)", literal, re.DOTALL)
    assert json.loads(json.loads(parsed[1]) if parsed else literal) == value


def test_no_token_stands_in_the_code_and_a_key_cannot_change_what_an_object_is() -> None:
    found = texts({"__proto__": {"admin": True}})
    assert all("PERDURE_TOKEN" in text for text in found.values())
    assert "JSON.parse(" in found["typescript"]
