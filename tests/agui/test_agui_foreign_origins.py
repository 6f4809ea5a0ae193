"""Frontends of other origins come in by an allow list; what no view answers has the shape of its door."""

import pytest

pytestmark = pytest.mark.django_db

APP = "https://app.example"


@pytest.mark.parametrize("path", ["/ag-ui/run", "/copilotkit/info", "/copilotkit"])
def test_an_origin_of_the_list_may_ask_with_its_headers(client, settings, path: str) -> None:
    settings.CORS_ALLOWED_ORIGINS = [APP]
    asked = {
        "origin": APP,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type,last-event-id,x-run-id,x-csrftoken",
    }
    answer = client.options(path, headers=asked)
    assert answer["Access-Control-Allow-Origin"] == APP
    assert answer["Access-Control-Allow-Credentials"] == "true"
    assert "origin" in answer["Vary"]
    allowed = {name.strip() for name in answer["Access-Control-Allow-Headers"].split(",")}
    assert set(asked["access-control-request-headers"].split(",")) <= allowed
    assert {"POST", "GET", "DELETE", "PATCH"} <= set(answer["Access-Control-Allow-Methods"].split(", "))


def test_the_ids_of_a_run_may_be_read_by_the_page(client, settings) -> None:
    settings.CORS_ALLOWED_ORIGINS = [APP]
    answer = client.get("/ag-ui/nothing", headers={"origin": APP})
    exposed = {name.strip() for name in answer["Access-Control-Expose-Headers"].split(",")}
    assert exposed == {"x-ag-ui-run-id", "x-ag-ui-session-id"}


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "https://app.example.evil.example"])
def test_another_origin_is_told_nothing(client, settings, origin: str) -> None:
    settings.CORS_ALLOWED_ORIGINS = [APP]
    answer = client.options("/ag-ui/run", headers={"origin": origin, "access-control-request-method": "POST"})
    assert "Access-Control-Allow-Origin" not in answer


def test_an_unknown_address_has_the_shape_of_its_door(client) -> None:
    answer = client.get("/ag-ui/nothing/here")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")
    assert "/ag-ui/capabilities" in answer.json()["error"]["message"]
    answer = client.get("/copilotkit/nothing/here")
    assert (answer.status_code, answer.json()["error"]) == (404, "NOT_FOUND")
    assert "/copilotkit/info" in answer.json()["message"]
