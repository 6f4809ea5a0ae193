"""Forms made from JSON Schema: what the form gives is what was typed, whatever the schema."""

import base64
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import QueryDict
from django.template.loader import render_to_string
from django.utils.datastructures import MultiValueDict
from hypothesis import given, settings
from hypothesis import strategies as st

from perdure.dashboard.forms.schema_form import JobForm

Part = tuple[dict[str, Any], st.SearchStrategy[Any]]
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12).filter(str.strip).map(str.strip)
LINES = st.lists(TEXT, min_size=1, max_size=3).map("\n".join)
MOMENTS = st.integers(0, 4_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC).isoformat())
LEAVES: list[Part] = [
    ({"type": "string"}, LINES),
    ({"type": "string", "maxLength": 5000}, LINES),
    ({"type": "integer"}, st.integers()),
    ({"type": "number"}, st.floats(allow_nan=False, allow_infinity=False)),
    ({"type": "boolean"}, st.booleans()),
    ({"enum": ["red", "deep_blue", 7]}, st.sampled_from(["red", "deep_blue", 7])),
    ({"enum": [1, "1"]}, st.sampled_from([1, "1"])),
    ({"type": "string", "format": "date"}, st.dates().map(lambda day: day.isoformat())),
    ({"type": "string", "format": "date-time"}, MOMENTS),
    ({"type": "string", "format": "binary"}, LINES),
    ({"type": "string", "contentEncoding": "base64"}, st.binary(min_size=1).map(base64.b64encode).map(bytes.decode)),
]  # fmt: skip


def parts() -> st.SearchStrategy[Part]:
    return st.recursive(
        st.sampled_from(LEAVES), lambda inner: st.one_of(lists(inner), maps(inner), objects(inner)), max_leaves=3
    )


def lists(inner: st.SearchStrategy[Part]) -> st.SearchStrategy[Part]:
    return inner.map(lambda part: ({"type": "array", "items": part[0]}, st.lists(part[1], max_size=3)))


def maps(inner: st.SearchStrategy[Part]) -> st.SearchStrategy[Part]:
    return inner.map(
        lambda part: ({"type": "object", "additionalProperties": part[0]}, st.dictionaries(TEXT, part[1], max_size=3))
    )


def objects(inner: st.SearchStrategy[Part]) -> st.SearchStrategy[Part]:
    """Of named properties, of which some may be left out."""
    named = st.dictionaries(TEXT, st.tuples(inner, st.booleans()), min_size=1, max_size=3)

    def made(found: dict[str, tuple[Part, bool]]) -> Part:
        # A box that is not ticked is a value: false. So a boolean is never left out.
        needed = [name for name, (part, is_needed) in found.items() if is_needed or part[0].get("type") == "boolean"]
        schema = {
            "type": "object",
            "properties": {name: part[0] for name, (part, _) in found.items()},
            "required": needed,
        }
        given = {name: part[1] for name, (part, _) in found.items() if name in needed}
        more = {
            name: part[1].filter(lambda value: value not in ({}, []))
            for name, (part, _) in found.items()
            if name not in given
        }
        return schema, st.fixed_dictionaries(given, optional=more)

    return named.map(made)


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_what_the_form_gives_is_what_it_was_filled_with(data: st.DataObject) -> None:
    schema, values = data.draw(objects(parts()))
    value = data.draw(values)
    shown = JobForm(schema, value=value)
    sent = JobForm(schema, shown.as_sent())
    assert sent.is_valid(), sent.errors
    assert sent.input_value() == value
    assert shown.is_raw or shown.holds(value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda one: st.lists(one) | st.dictionaries(st.text(max_size=5), one),
    max_leaves=5,
)


@settings(max_examples=25, deadline=None)
@given(objects(parts()), JSON, st.dictionaries(TEXT, st.lists(TEXT, max_size=2), max_size=4))
def test_no_value_and_nothing_that_is_sent_breaks_a_form(part: Part, value: Any, posted: dict[str, list[str]]) -> None:
    shown = JobForm(part[0], value=value)
    shown.holds(value)
    sent = QueryDict(mutable=True)
    for name in shown.fields:
        sent.setlist(name, next(iter(posted.values()), ["x"]))
    for name, texts in posted.items():
        sent.setlist(name, texts)
    JobForm(part[0], sent).is_valid()


def rows_schema(**item: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {"items": {"type": "array", "items": {"type": "object", **item}}}}


ROWS = rows_schema(properties={"name": {"type": "string"}, "key": {"type": "string", "format": "password"}})


def test_rows_come_and_go_by_the_server_and_keep_what_was_typed() -> None:
    sent = JobForm(ROWS, value={"items": [{"name": "a"}, {"name": "b"}]}).as_sent()
    sent["items.1.name"] = "changed"
    sent["~edit"] = "add items"
    added = JobForm(ROWS, sent)
    assert (added.is_edited, added.is_valid(), added.errors) == (True, False, {})
    page = render_to_string("dashboard/forms/_input.html", {"form": added})
    assert page.count('name="items.~rows" value="') == 3 + 1  # and the blank one
    assert 'value="changed"' in page
    assert 'name="items.~next" value="3"' in page
    sent["~edit"] = "remove items 0"
    assert [row.id for row in JobForm(ROWS, sent).tree.children["items"].rows] == ["1"]  # type: ignore[union-attr]


def test_a_row_that_the_server_adds_begins_with_its_defaults() -> None:
    schema = rows_schema(
        properties={"kind": {"enum": ["log", "raw"], "default": "raw"}, "on": {"type": "boolean", "default": True}}
    )
    form = JobForm(schema, QueryDict("~edit=add+items&items.~next=4"))
    assert [form[name].value() for name in ("items.4.kind", "items.4.on")] == ["raw", True]


def test_a_removed_row_does_not_give_its_secret_to_the_next_one() -> None:
    kept = {"items": [{"name": "a", "key": "***"}, {"name": "b", "key": "***"}]}
    hidden: list[list[str | int]] = [["items", 0, "key"], ["items", 1, "key"]]
    sent = JobForm(ROWS, value=kept, hidden=hidden).as_sent()
    sent.setlist("items.~rows", ["1", "2"])
    sent["items.2.name"] = "new"
    form = JobForm(ROWS, sent, value=kept, hidden=hidden)
    assert form.is_valid(), form.errors
    assert form.input_value() == {"items": [{"name": "b"}, {"name": "new"}]}
    assert form.place_of(hidden[0]) is None
    assert form.place_of(hidden[1]) == ("items", 0, "key")


def test_messages_stand_at_the_row_they_are_about() -> None:
    schema = {"type": "object", "properties": {"tags": {"type": "array", "items": {"type": "string"}}}}
    sent = QueryDict(mutable=True)
    sent.setlist("tags.~rows", ["4", "2", "0"])
    sent["tags.4"], sent["tags.2"], sent["tags.0"] = "", "two", "three"
    form = JobForm(schema, sent)
    assert form.is_valid()
    assert form.input_value() == {"tags": ["two", "three"]}
    form.add_input_errors([{"field": "tags.1", "message": "no"}, {"field": "tags", "message": "too few"}])
    assert form.errors == {"tags.0": ["no"], "tags.~next": ["too few"]}


def test_an_object_that_is_not_given_is_left_out_with_all_that_is_wrong_in_it() -> None:
    schema = {
        "type": "object",
        "properties": {"to": {"anyOf": [{"$ref": "#/$defs/To"}, {"type": "null"}], "default": None}},
        "$defs": {"To": {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}},
    }
    for sent, value in ((QueryDict("to.n=x"), {}), (QueryDict("to.~on=on&to.n=3"), {"to": {"n": 3}})):
        form = JobForm(schema, sent)
        assert form.is_valid(), form.errors
        assert form.input_value() == value
    assert "to.n" in JobForm(schema, QueryDict("to.~on=on")).errors


@pytest.mark.parametrize(
    ("part", "content", "expected"),
    [
        ({"format": "binary"}, "Grüße\n".encode(), "Grüße\n"),
        ({"contentEncoding": "base64"}, b"\x00\xff", "AP8="),
        ({"contentMediaType": "text/csv"}, b"a,b", "a,b"),
    ],
)
def test_a_file_becomes_text_or_base64(part: dict[str, Any], content: bytes, expected: str) -> None:
    schema = {"type": "object", "properties": {"file": {"type": "string"} | part}, "required": ["file"]}
    files = MultiValueDict({"file.~file": [SimpleUploadedFile("f", content)]})
    form = JobForm(schema, QueryDict("file="), files)
    assert form.is_multipart()
    assert form.is_valid(), form.errors
    assert form.input_value() == {"file": expected}
    assert form["file"].value() == expected  # a page that is shown again still has it


def test_a_file_that_is_no_text_and_text_that_is_no_base64_are_told() -> None:
    files = MultiValueDict({"file.~file": [SimpleUploadedFile("f", b"\xff\xfe")]})
    text = {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}}
    assert "no text in UTF-8" in str(JobForm(text, QueryDict(""), files).errors)
    coded = {"type": "object", "properties": {"file": {"type": "string", "contentEncoding": "base64"}}}
    assert "not base64" in str(JobForm(coded, QueryDict("file=%C3%A4")).errors)


def test_a_schema_that_refers_to_itself_ends() -> None:
    node = {"type": "object", "properties": {"children": {"type": "array", "items": {"$ref": "#/$defs/Node"}}}}
    schema = {"$ref": "#/$defs/Node", "$defs": {"Node": node}}
    value: dict[str, Any] = {"children": [{"children": [{"children": []}]}]}
    form = JobForm(schema, value=value)
    render_to_string("dashboard/forms/_input.html", {"form": form})
    assert len(form.fields) < 50


def test_an_input_with_more_than_a_page_can_hold_is_shown_as_json() -> None:
    schema = {"type": "object", "properties": {"tags": {"type": "array", "items": {"type": "string"}}}}
    form = JobForm(schema, value={"tags": ["x"] * 2000})
    assert form.is_raw
    assert not form.holds({"tags": []})
