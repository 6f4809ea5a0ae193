"""A fork with other results: picked, typed as JSON, previewed, started; what a run keeps secret stays where it is."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from pydantic import BaseModel, SecretStr

from perdure.dashboard.run import fork_results
from runs import jobs
from runs.conf import get_settings
from runs.jobs import StepContext, job
from runs.models import Audit, Run, RunStatus
from runs.testing import drain, temporary_jobs

pytestmark = pytest.mark.django_db(transaction=True)
SignedIn = Callable[..., Client]
SENT: list[Any] = []


class Key(BaseModel):
    value: SecretStr


class Call(BaseModel):
    url: str
    password: SecretStr


async def look_up(url: str) -> dict[str, str]:
    return {"url": url}


async def log_in() -> Key:
    return Key(value=SecretStr("kept-key"))


async def send(*what: Any) -> int:
    SENT.append(what)
    return len(SENT)


async def fail() -> str:
    raise ValueError("not today")


@pytest.fixture
def jobs_here() -> Iterator[None]:
    SENT.clear()
    with temporary_jobs():

        @job("page-call")
        async def page_call(step: StepContext, call: Call) -> int:
            place = await step.run("address", look_up, call.url)
            return await step.run("send", send, place["url"], call.password.get_secret_value())

        @job("page-log-in")
        async def page_log_in(step: StepContext, url: str) -> int:
            key = await step.run("log-in", log_in)
            place = await step.run("address", look_up, url)
            return await step.run("send", send, place["url"], key)

        @job("page-plain")
        async def page_plain(step: StepContext, url: str) -> int:
            place = await step.run("address", look_up, url)
            await step.run("count", send, "counted")
            return await step.run("send", send, place["url"])

        @job("page-failing")
        async def page_failing(step: StepContext) -> Any:
            try:
                found = await step.run("find", fail)
            except Exception:
                found = "nothing"
            return await step.run("send", send, found)

        yield


def ended(name: str, owner: User, team: Group, input: Any = None) -> Run:
    made = jobs.start(name, input, owner=owner, team=team).run
    drain()
    SENT.clear()
    return jobs.get(made.pk)


@pytest.fixture
def plain(jobs_here: None, owner: User, team: Group) -> Run:
    return ended("page-plain", owner, team, "https://here.example")


def post(client: Client, run: Run, *, step: str = "send", **fields: Any) -> Any:
    return client.post(f"/runs/{run.pk}/fork/?step={step}", {"fork-input": "same", **fields})


def text(answer: Any) -> str:
    found: str = answer.content.decode()
    return found


OTHER = '{"url": "https://there.example"}'


def test_a_result_is_picked_and_taken_away_without_a_script(plain: Run, member: User, signed_in: SignedIn) -> None:
    client = signed_in(member)
    picked = post(client, plain, do="add", **{"changed-step": "address"})
    assert (picked.status_code, Run.objects.count()) == (200, 1)
    assert "https://here.example" in text(picked)
    assert "errorlist" not in text(picked)
    assert [one.step.name for one in picked.context["edits"].edits] == ["address"]
    assert [one.name for one in picked.context["to_pick"]] == ["count"]
    dropped = post(client, plain, drop="address", edit=["address", "count"], result=[OTHER, "7"])
    assert [(one.step.name, one.text) for one in dropped.context["edits"].edits] == [("count", "7")]
    assert Run.objects.count() == 1


def test_the_preview_says_what_is_kept_changed_and_done_again_and_starts_nothing(
    plain: Run, member: User, signed_in: SignedIn
) -> None:
    page = post(signed_in(member), plain, do="preview", edit="address", result=OTHER)
    assert (page.status_code, Run.objects.count()) == (200, 1)
    assert [one.name for one in page.context["kept_as_it_is"]] == ["count"]
    assert [one.step.name for one in page.context["edits"].changed] == ["address"]
    assert [one.name for one in page.context["place"].again] == ["send"]
    assert "nothing is started yet" in text(page)
    assert "there.example" in page.context["edits"].changed[0].difference
    same = post(signed_in(member), plain, do="preview", edit="address", result='{"url": "https://here.example"}')
    assert same.context["edits"].changed == []


def test_the_fork_goes_on_from_the_changed_result_and_says_who_changed_it(
    plain: Run, member: User, signed_in: SignedIn
) -> None:
    client = signed_in(member)
    answer = post(client, plain, do="fork", edit=["address", "count"], result=[OTHER, "1"])
    made = Run.objects.get(forked_from=plain)
    assert answer["Location"] == f"/runs/{made.pk}/"
    drain()
    assert SENT == [("https://there.example",)]
    assert made.owner == member
    assert Audit.objects.get(target=str(made.pk)).data["changed"] == ["address"], "a result that is as it was is kept"
    page = text(client.get(f"/runs/{made.pk}/"))
    assert "Changed results" in page
    assert "by mika" in page
    step = text(client.get(f"/runs/{made.pk}/step/?name=address"))
    assert "Its result was changed by mika" in step
    assert "Its result was changed" not in text(client.get(f"/runs/{made.pk}/step/?name=count"))


def test_a_failed_step_is_given_a_result(jobs_here: None, owner: User, team: Group, signed_in: SignedIn) -> None:
    run = ended("page-failing", owner, team)
    client = signed_in(owner)
    assert "It failed with ValueError" in text(post(client, run, do="add", **{"changed-step": "find"}))
    post(client, run, edit="find", result='"a coin"')
    drain()
    assert SENT == [("a coin",)]


@pytest.mark.parametrize(
    ("result", "says"),
    [
        ('{"url": ', "at line 1, column 9"),
        ("here", "a text needs quotes"),
        ("NaN", "NaN is no number in JSON"),
        ("  ", "null for none"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_what_is_no_json_is_told_where_and_forks_nothing(
    result: str, says: str, plain: Run, member: User, signed_in: SignedIn
) -> None:
    answer = post(signed_in(member), plain, edit="address", result=result)
    assert (answer.status_code, Run.objects.count()) == (400, 1)
    assert says in text(answer)
    assert 'aria-invalid="true" autofocus' in text(answer)
    assert 'id="does"' not in text(answer), "the browser would leave the field that is wrong"


def test_a_result_that_is_too_large_or_too_deep_is_refused(
    plain: Run, member: User, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = signed_in(member)
    large = '"' + "x" * get_settings().max_payload_bytes + '"'
    assert "is longer than 1,048,576 bytes" in text(post(client, plain, edit="address", result=large))
    assert "nested deeper" in text(post(client, plain, edit="address", result="[" * 200 + "]" * 200))
    monkeypatch.setattr(fork_results, "MOST", 1)
    many = post(client, plain, edit=["address", "count"], result=[OTHER, "7"])
    assert "changes 1 results at most" in text(many)
    assert {many.status_code, Run.objects.count()} == {400, 1}


@pytest.mark.parametrize("name", ["send", "nowhere", "\0"])
def test_only_what_is_kept_can_be_changed(name: str, plain: Run, member: User, signed_in: SignedIn) -> None:
    answer = post(signed_in(member), plain, edit=name, result="1")
    assert (answer.status_code, Run.objects.count()) == (400, 1)
    assert "Choose one of those that are listed" in text(answer)


def test_a_long_result_is_not_put_into_a_field(
    plain: Run, member: User, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fork_results, "LONGEST_SHOWN", 10)
    page = post(signed_in(member), plain, do="add", **{"changed-step": "address"})
    assert page.context["edits"].edits[0].text == ""
    assert "too long to be shown here" in text(page)


@pytest.fixture
def keyed(jobs_here: None, owner: User, team: Group) -> Run:
    return ended("page-log-in", owner, team, "https://here.example")


def test_a_result_that_holds_secrets_is_never_shown_nor_typed_anew(
    keyed: Run, owner: User, signed_in: SignedIn
) -> None:
    client = signed_in(owner)
    page = client.get(f"/runs/{keyed.pk}/fork/?step=send")
    assert [one.name for one in page.context["to_pick"]] == ["address"]
    refused = post(client, keyed, do="add", **{"changed-step": "log-in"})
    assert "kept-key" not in text(page) + text(refused)
    assert post(client, keyed, edit="log-in", result='{"value": "x"}').status_code == 400
    post(client, keyed, edit="address", result=OTHER)  # its owner may send it elsewhere
    drain()
    assert SENT[0][0] == "https://there.example"


def test_a_colleague_sends_no_secret_of_a_step_elsewhere(keyed: Run, member: User, signed_in: SignedIn) -> None:
    client = signed_in(member)
    page = text(client.get(f"/runs/{keyed.pk}/fork/?step=send"))
    assert "recorded secrets for somebody else" in page
    assert 'name="do" value="add"' not in page
    refused = post(client, keyed, edit="address", result=OTHER)
    assert refused.status_code == 400
    assert "Fork from that step or before it" in text(refused)
    other_input = post(client, keyed, **{"fork-input": "other", "__json__": '"https://there.example"'})
    assert (other_input.status_code, Run.objects.count()) == (400, 1)
    post(client, keyed, step="log-in")  # nothing is kept
    drain()
    assert Run.objects.get(forked_from=keyed).status == RunStatus.COMPLETED


def test_a_colleague_sends_no_secret_of_the_input_elsewhere(
    jobs_here: None, owner: User, team: Group, member: User, signed_in: SignedIn
) -> None:
    run = ended("page-call", owner, team, {"url": "https://here.example", "password": "hunter2"})
    client = signed_in(member)
    assert "Results are changed only together with another input" in text(
        post(client, run, do="add", **{"changed-step": "address"})
    )
    refused = post(client, run, edit="address", result=OTHER)
    assert (refused.status_code, Run.objects.count()) == (400, 1)
    assert "Give another input, too, or change no result" in text(refused)
    own = {"fork-input": "other", "url": "https://here.example", "password": "mine"}
    post(client, run, edit="address", result=OTHER, **own)
    drain()
    assert SENT == [("https://there.example", "mine")]


def test_strangers_and_the_anonymous_change_nothing(plain: Run, stranger: User, signed_in: SignedIn) -> None:
    for do in ("add", "preview", "fork"):
        fields = {"do": do, "edit": "address", "result": OTHER}
        assert post(signed_in(stranger), plain, **fields).status_code == 404
        assert post(Client(), plain, **fields)["Location"].startswith("/sign-in/")
    assert Run.objects.count() == 1
