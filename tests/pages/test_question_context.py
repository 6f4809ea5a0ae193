"""What a question shows beside its body: diff, tables and JSON, and no sign that hides what is decided."""

from perdure.dashboard.diffs.lines import MAX_LINES, diff_lines
from perdure.dashboard.inbox.question_context import MAX_ROWS, Table, ToolCall, read_context, read_tool_call


def test_an_object_shows_its_diff_its_tables_and_the_rest() -> None:
    rows = [{"x": 1}, {"y": 2, "x": None}]
    shown = read_context({"diff": "-a\n+b\n", "new_findings": rows, "risk": "low", "none": []})
    assert shown.diff == "-a\n+b\n"
    assert shown.tables == [Table("New findings", ["X", "Y"], [["1", ""], ["", "2"]])]
    assert shown.rest == {"risk": "low", "none": []}


def test_a_list_of_flat_objects_is_a_table_and_anything_else_is_json() -> None:
    assert read_context([{"x": 1, "is_y": True}]).tables == [Table("", ["X", "Is y"], [["1", "yes"]])]
    for other in ([{"x": [1]}], [{}], [], "text", 7, [{"x": 1}] * (MAX_ROWS + 1)):
        assert read_context(other).rest == other
    assert read_context({"diff": [7]}).rest == {"diff": [7]}
    assert read_context(None).rest is None


def test_plain_values_are_facts_and_long_texts_stand_by_themselves() -> None:
    shown = read_context({"flow": "a\u202eb", "limit": 3, "is_new": False, "answer": "one\n\u2066two"})
    assert shown.facts == [("Flow", "a\\u202eb"), ("Limit", "3"), ("Is new", "no")]
    assert (shown.texts, shown.rest) == ([("Answer", "one\n\\u2066two")], None)


def test_signs_that_nobody_sees_are_spelt() -> None:
    assert [line.text for line in diff_lines("+x\u202e\u2066\x0c\r\n\ttab")] == [
        "+x\\u202e\\u2066\\u000c\\u000d",
        "\ttab",
    ]
    assert len(diff_lines("+a\x0b-b\u2028-c")) == 1, "nothing but a newline begins a line"


def test_a_diff_that_is_too_long_says_how_much_is_left_out() -> None:
    assert diff_lines("+\n" * (MAX_LINES + 2))[-1].text.startswith("2 more lines")


def test_a_tool_call_shows_its_arguments_apart_from_what_the_tool_says() -> None:
    shown = read_tool_call({"name": "rm", "description": "Remove.", "arguments": {"path": "/"}, "why": "asked"})
    assert shown.call == ToolCall("rm", "Remove.", {"path": "/"})
    assert shown.rest == {"why": "asked"}
    assert read_tool_call({"arguments": {}}).rest is None
