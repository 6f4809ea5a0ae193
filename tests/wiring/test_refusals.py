"""What no view answers has the shape of its door."""

import pytest

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["/api/nothing/", "/api/runs/x/y/z/", "/api/" + "a" * 3000])
def test_an_unknown_address_of_the_api_is_an_error_in_its_shape(client, path):
    answer = client.get(path)
    assert answer.status_code == 404
    error = answer.json()["error"]
    assert (error["code"], error["details"]) == ("not_found", {})
    assert "/api/schema/" in error["message"]


def test_an_unknown_page_is_a_page(client):
    answer = client.get("/nothing/")
    assert answer.status_code == 404
    assert answer["Content-Type"].startswith("text/html")


def test_an_unknown_host_is_refused_in_the_shape_of_the_door(client):
    answer = client.get("/api/runs/", headers={"host": "evil.test"})
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "bad_request"
    assert client.get("/sign-in/", headers={"host": "evil.test"})["Content-Type"].startswith("text/html")


def test_a_failure_of_the_server_is_told_without_its_inside(client, monkeypatch):
    def fail(*arguments, **options):
        raise RuntimeError("a secret of the inside")

    monkeypatch.setattr("perdure.health._answer", fail)
    client.raise_request_exception = False
    for path in ("/api/health", "/livez"):
        answer = client.get(path)
        assert answer.status_code == 500
        assert b"secret" not in answer.content
    assert client.get("/api/health").json()["error"]["code"] == "internal_error"
