"""The fake vendor is an ordinary HTTP/1.1 server."""

import socket

import httpx

from tests.vendors.process import FakeVendor

BODY = '{"model": "m", "messages": [{"role": "user", "content": "hello"}]}'


def test_one_connection_serves_many_calls(vendor: FakeVendor) -> None:
    with socket.create_connection(("127.0.0.1", vendor.port), timeout=30) as raw, raw.makefile("rb") as answers:
        for number in (1, 2):
            connection = "keep-alive" if number == 1 else "close"
            head = f"POST /v1/chat/completions HTTP/1.1\r\nConnection: {connection}\r\nContent-Length: {len(BODY)}\r\n"
            raw.sendall(f"{head}\r\n{BODY}".encode())
            assert answers.readline() == b"HTTP/1.1 200 OK\r\n"
            headers = dict(line.split(b": ") for line in iter(answers.readline, b"\r\n"))
            assert b"chat.completion" in answers.read(int(headers[b"content-length"]))
        assert answers.read() == b""


def test_a_body_may_come_in_chunks(vendor: FakeVendor) -> None:
    url = f"{vendor.openai_url}/chat/completions"
    assert httpx.post(url, content=iter([BODY[:10].encode(), BODY[10:].encode()])).status_code == 200


def test_paths_and_methods_that_there_are_not(vendor: FakeVendor) -> None:
    with httpx.Client(base_url=vendor.url) as client:
        assert client.get("/v1/nothing").status_code == 404
        wrong = client.get("/v1/chat/completions")
        assert (wrong.status_code, wrong.headers["allow"]) == (405, "POST")
        head = client.head("/v1/models")
        assert (head.status_code, head.content) == (200, b"")
        assert int(head.headers["content-length"]) == len(client.get("/v1/models").content)
        assert client.get("/_control/nothing").status_code == 404


def test_a_body_that_is_none_is_told_in_the_wires_words(vendor: FakeVendor) -> None:
    with httpx.Client(base_url=vendor.url) as client:
        broken = client.post("/v1/chat/completions", content=b"{")
        assert (broken.status_code, broken.json()["error"]["type"]) == (400, "invalid_request_error")
        unlimited = client.post("/v1/messages", json={"model": "m", "messages": []})
        assert (unlimited.status_code, unlimited.json()["type"]) == (400, "error")
        assert "max_tokens" in unlimited.json()["error"]["message"]
        modelless = client.post("/api/chat", json={"messages": []})
        assert (modelless.status_code, list(modelless.json())) == (400, ["error"])


def test_what_is_no_http_is_refused(vendor: FakeVendor) -> None:
    with socket.create_connection(("127.0.0.1", vendor.port), timeout=30) as raw, raw.makefile("rb") as answers:
        raw.sendall(b"hello\r\n\r\n")
        assert answers.read().startswith(b"HTTP/1.1 400 ")


def test_a_script_that_is_wrong_is_refused(vendor: FakeVendor) -> None:
    answer = httpx.post(f"{vendor.url}/_control/script", json=[{"fault": "fire"}])
    assert answer.status_code == 400
    assert "no such fault: fire" in answer.json()["error"]
