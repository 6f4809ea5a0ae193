"""The settings: API tokens that one makes for oneself, seen once and revoked."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.contrib.sessions.models import Session
from django.test import Client

from hitl.asking import Draft, open_question
from hitl.notify import choice
from perdure.accounts import tokens
from perdure.accounts.models import ApiToken
from perdure.dashboard.settings.token_form import MOST_TOKENS
from runs import clock, jobs
from runs.models import Audit, Run

SignedIn = Callable[..., Client]
ASKED = {"name": "ci", "scope": "full", "lifetime": "90"}


@pytest.fixture
def client(owner: User, signed_in: SignedIn) -> Client:
    return signed_in(owner)


def make(client: Client, **changed: str) -> str:
    """Makes a token by the form; the plain token."""
    answer = client.post("/settings/", ASKED | changed)
    assert answer.status_code == 201, answer.content.decode()
    found = re.search(r"pdr_[0-9a-f]{8}_[\w-]{43}", answer.content.decode())
    assert found is not None
    return found[0]


def test_a_token_is_shown_once_and_kept_nowhere(client: Client, owner: User, caplog: pytest.LogCaptureFixture) -> None:
    assert "You have no token." in client.get("/settings/").content.decode()
    plain = make(client)
    found = tokens.check_token(plain)
    assert (found.user, found.name, found.scope) == (owner, "ci", "full")
    assert found.expires_at is not None
    assert timedelta(days=89) < found.expires_at - clock.now() <= timedelta(days=90)
    page = client.get("/settings/")
    assert found.prefix in page.content.decode()
    assert "no-store" in page["Cache-Control"]
    secret = plain.split("_", 2)[2]
    kept = [
        ApiToken.objects.values().get(),
        *Audit.objects.values(),
        *(row.get_decoded() for row in Session.objects.all()),
    ]
    assert secret not in page.content.decode() + str(kept) + caplog.text
    note = Audit.objects.get()
    assert (note.action, note.target, note.actor_name) == ("token.create", found.prefix, "olga")
    assert note.data["scope"] == "full"


def test_a_form_sent_again_makes_no_second_token(client: Client) -> None:
    make(client)
    again = client.post("/settings/", ASKED)
    assert again.status_code == 400
    assert "You have a token of this name" in again.content.decode()
    assert ApiToken.objects.count() == 1


def test_revoking_asks_first_refuses_the_token_and_is_audited(client: Client) -> None:
    plain = make(client)
    address = f"/settings/tokens/{tokens.check_token(plain).pk}/revoke/"
    assert "Revoke the token ci?" in client.get(address).content.decode()
    assert tokens.find_token(plain)
    page = client.post(address, follow=True).content.decode()
    assert "The token ci is revoked." in page
    with pytest.raises(tokens.TokenRevoked):
        tokens.check_token(plain)
    assert client.post(address).status_code == 404
    assert Audit.objects.filter(action="token.revoke", actor_name="olga", address="127.0.0.1").count() == 1
    make(client)  # its name is free again


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": ""}, "required"),
        ({"name": "x" * 101}, "at most 100"),
        ({"name": "a\0b"}, "Null characters"),
        ({"scope": "admin"}, "not one of the available"),
        ({"scope": ""}, "required"),
        ({"lifetime": "99999999999"}, "not one of the available"),
    ],
)
def test_a_wrong_value_is_told_at_its_field_and_makes_nothing(wrong: dict[str, str], said: str, client: Client) -> None:
    answer = client.post("/settings/", ASKED | wrong)
    assert answer.status_code == 400
    assert said in " ".join(answer.context["form"].errors[next(iter(wrong))])
    assert not ApiToken.objects.exists()


def test_a_program_cannot_fill_the_table_with_tokens(client: Client, owner: User) -> None:
    row = {"user": owner, "name": "x", "prefix": "pdr_0", "created_at": clock.now()}
    ApiToken.objects.bulk_create(ApiToken(digest=str(number), **row) for number in range(MOST_TOKENS))
    assert "Revoke one that nothing uses." in client.post("/settings/", ASKED).content.decode()
    assert ApiToken.objects.count() == MOST_TOKENS


def test_each_sees_and_revokes_only_their_own_tokens(
    client: Client, member: User, administrator: User, signed_in: SignedIn
) -> None:
    found = tokens.check_token(make(client))
    address = f"/settings/tokens/{found.pk}/revoke/"
    for other in (member, administrator):
        assert found.prefix not in signed_in(other).get("/settings/").content.decode()
        assert signed_in(other).post(address).status_code == 404
    for path in ("/settings/", address):
        assert Client().get(path).status_code == 302
        assert Client().post(path, ASKED).status_code == 302
        assert signed_in(found.user, enforce_csrf_checks=True).post(path, ASKED).status_code == 403
    found.refresh_from_db()
    assert (found.revoked_at, ApiToken.objects.count()) == (None, 1)


def bearer(plain: str) -> dict[str, Any]:
    return {"headers": {"Authorization": f"Bearer {plain}"}}


@pytest.mark.django_db(transaction=True)  # AG-UI and the events are answered by threads of their own
def test_a_token_that_only_reads_changes_nothing_at_any_door(client: Client, run: Run) -> None:
    reads, writes = bearer(make(client, scope="read")), bearer(make(client, name="deploy"))
    door = Client()
    assert door.get(f"/api/runs/{run.pk}/", **reads).status_code == 200
    assert door.get(f"/api/runs/{run.pk}/events", **reads).status_code == 200
    refused = door.post(f"/api/runs/{run.pk}/cancel/", {}, "application/json", **reads)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "token_reads_only")
    for path in ("/api/runs/", "/v1/jobs", "/ag-ui/run", "/ag-ui/message", "/copilotkit/agent/x/run"):
        answer = door.post(path, {}, "application/json", **reads)
        assert answer.status_code == 403, (path, answer.content)
        assert door.post(path, {}, "application/json", **writes).status_code != 403
    run.refresh_from_db()
    assert run.status == "queued"


def test_mails_are_chosen_where_they_can_be_sent(client: Client, owner: User, settings: Any) -> None:
    path = "/settings/notifications/"
    assert "Perdure has no mail server" in client.get(path).content.decode()
    settings.HITL_EMAIL = True
    assert "your account has no e-mail address" in client.get(path).content.decode()
    User.objects.filter(pk=owner.pk).update(email="olga@example.org")
    assert "olga@example.org" in client.get(path).content.decode()
    assert "You get no mails" in client.post(path, {"wanted": "no"}, follow=True).content.decode()
    assert not choice.wants_mails(owner)
    client.post(path, {"wanted": "yes"})
    assert choice.wants_mails(owner)


def test_the_last_mails_are_those_of_the_person_alone(
    client: Client, owner: User, member: User, signed_in: SignedIn, team: Group, settings: Any
) -> None:
    settings.HITL_EMAIL = True
    User.objects.filter(pk=member.pk).update(email="mika@example.org")
    run = jobs.start("page-nothing", owner=owner, team=team).run
    open_question(run.pk, "ok?", Draft(title="Merge it?", kind="approval"))
    assert "Merge it?" in signed_in(member).get("/settings/notifications/").content.decode()
    assert "Merge it?" not in client.get("/settings/notifications/").content.decode()
    member.groups.clear()
    assert "Merge it?" not in signed_in(member).get("/settings/notifications/").content.decode()


@pytest.fixture
def manager(stranger: User) -> User:
    """Staff of another team that may change users."""
    stranger.user_permissions.add(Permission.objects.get(codename="change_user"))
    User.objects.filter(pk=stranger.pk).update(is_staff=True)
    return User.objects.get(pk=stranger.pk)


def test_members_see_their_teams_and_change_none(
    member: User, owner: User, stranger: User, team: Group, signed_in: SignedIn
) -> None:
    page = signed_in(member).get("/settings/teams/").content.decode()
    assert "builders" in page
    assert "olga" in page
    assert "others" not in page
    assert "Add somebody" not in page
    assert "builders" not in signed_in(stranger).get("/settings/teams/").content.decode()
    for action, body in (("add", {"name": "sven"}), ("remove", {"user": str(owner.pk)})):
        path = f"/settings/teams/{team.pk}/{action}/"
        assert Client().post(path, body).status_code == 302
        assert signed_in(stranger).post(path, body).status_code == 404
        assert signed_in(member).post(path, body).status_code == 403
        assert signed_in(member).get(path).status_code == 405
        assert signed_in(member, enforce_csrf_checks=True).post(path, body).status_code == 403
    assert set(team.user_set.values_list("username", flat=True)) == {"olga", "mika"}


def test_staff_that_may_change_users_add_and_remove_members(manager: User, team: Group, signed_in: SignedIn) -> None:
    client, path = signed_in(manager), f"/settings/teams/{team.pk}/"
    assert "sven is in builders now" in client.post(f"{path}add/", {"name": " sven "}, follow=True).content.decode()
    assert "is in builders already" in client.post(f"{path}add/", {"name": "sven"}, follow=True).content.decode()
    assert "Nobody who can sign in" in client.post(f"{path}add/", {"name": "x" * 9000}, follow=True).content.decode()
    gone = client.post(f"{path}remove/", {"user": str(manager.pk)}, follow=True).content.decode()
    assert "sven is not in builders any more" in gone
    for wrong in (str(manager.pk), "0", "x", "9" * 40, "²"):
        assert (
            "not in builders any more" in client.post(f"{path}remove/", {"user": wrong}, follow=True).content.decode()
        )
    notes = Audit.objects.filter(actor_name="sven").order_by("id").values_list("action", "target", "data")
    said = {"team": "builders", "user": "sven"}
    assert list(notes) == [(action, f"team:{team.pk}", said) for action in ("team.add", "team.remove")]


def test_nobody_gives_themselves_the_rights_of_a_team(
    manager: User, administrator: User, team: Group, signed_in: SignedIn
) -> None:
    team.permissions.add(Permission.objects.get(codename="delete_run"))
    path = f"/settings/teams/{team.pk}/add/"
    refused = signed_in(manager).post(path, {"name": "sven"}, follow=True).content.decode()
    assert "gives rights that you do not have" in refused
    assert not team.user_set.filter(pk=manager.pk).exists()
    signed_in(administrator).post(path, {"name": "sven"})
    assert team.user_set.filter(pk=manager.pk).exists()
