"""The page of all components, for the staff."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client

from perdure.dashboard import navigation
from perdure.dashboard.styleguide import samples

pytestmark = pytest.mark.django_db
Sign = Callable[..., Client]


def test_the_staff_sees_every_component(administrator: User, signed_in: Sign) -> None:
    page = signed_in(administrator).get("/styleguide/").content.decode()
    for shown in ("tab-bar", "stat-value", 'class="notice"', 'class="menu"', "data-json-tree", 'class="code hl"'):
        assert shown in page
    for shown in ("data-long-text", "empty-title", "data-relative", "data-copy", "<dialog", 'class="kv"', "<progress"):
        assert shown in page
    assert all(f'<span class="badge" data-status="{status}">' in page for status in samples.STATUSES)
    assert " style=" not in page


def test_it_does_not_exist_for_others(member: User, signed_in: Sign, client: Client) -> None:
    assert signed_in(member).get("/styleguide/").status_code == 404
    answer = client.get("/styleguide/")
    assert (answer.status_code, answer["Location"]) == (302, "/sign-in/?next=/styleguide/")


def test_the_bar_leads_where_one_may_go(member: User, administrator: User, signed_in: Sign) -> None:
    for_member = signed_in(member).get("/jobs/").content.decode()
    assert 'href="/runs/" data-shortcut="g r"' in for_member
    assert "Style guide" not in for_member
    assert ">Admin<" not in for_member
    for_staff = signed_in(administrator).get("/jobs/").content.decode()
    assert 'href="/styleguide/"' in for_staff
    assert ">Admin<" in for_staff


def test_the_bar_says_where_one_is(member: User, signed_in: Sign) -> None:
    page = signed_in(member).get("/jobs/").content.decode()
    assert page.count("aria-current") == 1
    assert 'href="/jobs/" data-shortcut="g s" aria-current="page"' in page
    below = signed_in(member).get("/schedules/new/").content.decode()
    assert 'href="/schedules/" data-shortcut="g c" aria-current="true"' in below


def test_no_two_pages_share_a_key() -> None:
    keys = [entry.key for entry in (*navigation.WORK, *navigation.MANAGE) if entry.key]
    assert len(keys) == len(set(keys))
