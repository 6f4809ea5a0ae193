"""What nobody sends by accident to the list of threads is refused, or finds nothing; none of it is our failure."""

import base64

import pytest
from django.contrib.auth.models import User

from tests.agui.callers import Caller


def cursor(at: str) -> str:
    return base64.urlsafe_b64encode(f"{at} 01890000-0000-7000-8000-000000000000".encode()).decode()


@pytest.mark.parametrize(
    "query",
    [
        "agent=%00", "agent=a%00b", "cursor=%00", "cursor=é", "cursor=a", "cursor=====",
        f"cursor={cursor('0001-01-01T00:00:00+23:59')}", f"cursor={cursor('9999-12-31T23:59:59-23:59')}",
        f"cursor={cursor('2026-01-01T00:00:00')}", "limit=%D9%A3", "limit=-1", "limit=1e1", f"limit={'9' * 5000}",
        f"cursor={cursor('0001-01-01T00:00:00+00:00')}", "archived=%00",
    ],
)  # fmt: skip
def test_an_odd_query_is_refused_or_finds_nothing(db: None, bob: User, query: str) -> None:
    answer = Caller(bob).say("GET", f"/ag-ui/threads/?{query}")
    assert answer.status_code in (200, 400), answer.content
    assert answer.json() == {"threads": []} or answer.json()["error"]["code"] == "INVALID_INPUT"


@pytest.mark.parametrize("thread_id", ["%00", "a%00b", "%0D%0A", "%F0%9F%A7%AA", "x" * 5000, "..", "%ED%A0%80"])
@pytest.mark.parametrize("method", ["DELETE", "PATCH"])
def test_an_odd_name_of_a_thread_is_not_found(db: None, bob: User, method: str, thread_id: str) -> None:
    answer = Caller(bob).say(method, f"/ag-ui/threads/{thread_id}/", {"title": "mine"})
    assert answer.status_code in (400, 404), answer.content


@pytest.mark.parametrize("title", ["", " ", "a\nb", "\u202e", "x" * 201, "a\u0000b", 5, ["a"]])
def test_an_odd_title_is_refused(db: None, bob: User, title: object) -> None:
    answer = Caller(bob).say("PATCH", "/ag-ui/threads/any/", {"title": title})
    assert answer.status_code in (400, 404), answer.content
