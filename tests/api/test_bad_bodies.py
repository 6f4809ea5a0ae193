import json
import time
from typing import Any

import pytest

from tests.api.client import ApiClient, error_of
from tests.api.conftest import Watch


def _deep(levels: int) -> bytes:
    return b'{"job":"echo","input":' + b"[" * levels + b"]" * levels + b"}"


@pytest.mark.parametrize(
    "body",
    [
        b"{", b"nul", b"\xff\xfe", b'{"job":"echo"', b'{"job":"echo"}}', b'{"job":"echo","job":"echo"}',
        b'{"job":"echo","input":{"text":"a","text":"b"}}', b'{"job":"echo","input":NaN}',
        b'{"job":"echo","input":-Infinity}', b'{"job":"echo","input":1e999}', b'{"job":"echo\\u0000"}',
        b'{"job":"echo","input":{"text":"a\\u0000b"}}', b'{"job":"echo","labels":{"a\\u0000":"b"}}',
        b'{"job":"echo","input":{"text":"\\ud800"}}', b'{"job":"echo","input":' + b"9" * 5000 + b"}",
        _deep(102), _deep(900), _deep(100_000), '{"job":"echo"}'.encode("utf-16"),
    ],
    ids=lambda body: repr(body[:40]),
)  # fmt: skip
def test_what_is_no_clean_json_is_refused(api: ApiClient, nothing_changes: Watch, body: bytes) -> None:
    with nothing_changes():
        response = api.send("/api/runs/", body)
    error_of(response, 400, "malformed_json")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ([], "body"), ("echo", "body"), (1, "body"), ({}, "job"), ({"job": 5}, "job"), ({"job": ""}, "job"),
        ({"job": None}, "job"), ({"job": "x" * 201}, "job"), ({"job": "echo", "colour": 1}, "colour"),
        ({"job": "echo", "concurrency_key": ""}, "concurrency_key"), ({"job": "echo", "coalesce": True}, "coalesce"),
        ({"job": "echo", "concurrency_key": "a", "coalesce": "replace"}, "coalesce"),
        ({"job": "echo", "id": "x"}, "id"), ({"job": "echo", "version": 1}, "version"),
        ({"job": "echo", "labels": []}, "labels"), ({"job": "echo", "labels": {"a": 1}}, "labels.a"),
        ({"job": "echo", "labels": {"": "a"}}, "labels..[key]"),
        ({"job": "echo", "labels": {"a b": "c"}}, "labels.a b.[key]"),
        ({"job": "echo", "labels": {f"k{n}": "" for n in range(51)}}, "labels"),
        ({"job": "echo", "priority": "5"}, "priority"), ({"job": "echo", "priority": 1.5}, "priority"),
        ({"job": "echo", "priority": True}, "priority"), ({"job": "echo", "priority": 10**20}, "priority"),
        ({"job": "echo", "queue": ""}, "queue"), ({"job": "echo", "team": True}, "team"),
        ({"job": "echo", "run_at": 5}, "run_at"), ({"job": "echo", "run_at": "2030-01-01"}, "run_at"),
        ({"job": "echo", "run_at": "2030-01-01T00:00:00"}, "run_at"), ({"job": "echo", "run_at": "5"}, "run_at"),
        ({"job": "echo", "run_at": "9999-12-31T23:59:59-12:00"}, "run_at"),
        ({"job": "echo", "idempotency_key": ""}, "idempotency_key"),
        ({"job": "echo", "idempotency_key": "x" * 201}, "idempotency_key"),
    ],
    ids=lambda value: json.dumps(value)[:50],
)  # fmt: skip
def test_a_field_that_does_not_fit_is_named(api: ApiClient, nothing_changes: Watch, body: Any, field: str) -> None:
    with nothing_changes():
        response = api.send("/api/runs/", body)
    named = {found["field"].split(".")[0] for found in error_of(response, 400, "invalid_request")["details"]["fields"]}
    assert field.split(".")[0] in named


def test_an_empty_body_lacks_the_job(api: ApiClient) -> None:
    assert "job" in str(error_of(api.send("/api/runs/"), 400, "invalid_request")["details"])


def test_an_unknown_job_is_named(api: ApiClient, nothing_changes: Watch) -> None:
    with nothing_changes():
        response = api.send("/api/runs/", {"job": "no-such-job"})
        assert "'no-such-job'" in error_of(response, 404, "job_not_found")["message"]
        response = api.send("/api/runs/", {"job": "echo", "version": "77"})
        assert "version '77' of job 'echo'" in error_of(response, 404, "job_not_found")["message"]


@pytest.mark.parametrize("value", [{"text": 5}, {"text": None}, "x", [], 5, None])
def test_input_that_does_not_fit_the_job_is_refused_before_a_run_exists(
    api: ApiClient, nothing_changes: Watch, value: Any
) -> None:
    with nothing_changes():
        response = api.send("/api/runs/", {"job": "echo", "input": value})
    assert error_of(response, 400, "invalid_input")["details"]["fields"]


@pytest.mark.parametrize("text", ["\n", "a\tb", "\u202e", "\x7f"])
def test_names_that_cannot_be_printed_are_refused(api: ApiClient, nothing_changes: Watch, text: str) -> None:
    with nothing_changes():
        for field in ("idempotency_key", "queue", "concurrency_key"):
            error_of(api.send("/api/runs/", {"job": "echo", field: f"a{text}"}), 400, "invalid_option")


def test_a_huge_body_is_refused_before_it_is_parsed(api: ApiClient, nothing_changes: Watch) -> None:
    with nothing_changes():
        response = api.send("/api/runs/", b'{"job":"echo","input":"' + b"x" * (8 * 1024 * 1024) + b'"}')
    assert "The request's body is" in error_of(response, 413, "payload_too_large")["message"]


def test_a_payload_over_the_limit_is_refused_and_one_under_it_taken(api: ApiClient, nothing_changes: Watch) -> None:
    with nothing_changes():
        response = api.send("/api/runs/", {"job": "echo", "input": {"text": "x" * (1024 * 1024)}})
        error_of(response, 413, "payload_too_large")
    assert api.send("/api/runs/", {"job": "echo", "input": {"text": "x" * (1024 * 1024 - 100)}}).status_code == 201


def test_text_of_any_script_comes_back_as_it_went_in(api: ApiClient) -> None:
    text = "naïve 日本語 \U0001f9ea \\u0000 \u2028 <script>"
    assert api.send("/api/runs/", {"job": "echo", "input": {"text": text}}).json()["input"] == {"text": text}


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml", "x"],
)
def test_only_json_is_read(api: ApiClient, nothing_changes: Watch, content_type: str) -> None:
    with nothing_changes():
        response = api.send("/api/runs/", b'{"job":"echo"}', content_type=content_type)
    error_of(response, 415, "unsupported_media_type")


def test_other_methods_and_other_types_are_refused(api: ApiClient, nothing_changes: Watch) -> None:
    with nothing_changes():
        error = error_of(api.put("/api/runs/"), 405, "method_not_allowed")
        error_of(api.get("/api/runs/", headers={"Accept": "text/html"}), 406, "not_acceptable")
    assert "Use one of: GET, POST" in error["message"]


def test_a_refusal_is_short_however_much_is_wrong(api: ApiClient, nothing_changes: Watch) -> None:
    with nothing_changes():
        many = api.send("/api/runs/", {"job": "echo"} | {f"field-{number}": 1 for number in range(10_000)})
        long = api.send("/api/runs/", {"job": "echo", "x" * 1_000_000: 1})
    details = error_of(many, 400, "invalid_request")["details"]
    assert (len(details["fields"]), details["left_out"]) == (50, 9_950)
    assert len(many.content) < 10_000
    [field] = error_of(long, 400, "invalid_request")["details"]["fields"]
    assert len(field["field"]) == 300
    assert len(long.content) < 2_000


def test_a_key_given_twice_is_found_soon_among_many(api: ApiClient, nothing_changes: Watch) -> None:
    body = b"{" + b"".join(b'"%d":0,' % number for number in range(100_000)) + b'"twice":0,"twice":0}'
    before = time.process_time()
    with nothing_changes():
        refused = error_of(api.send("/api/runs/", body), 400, "malformed_json")
    assert "'twice'" in refused["message"]
    assert time.process_time() - before < 20
