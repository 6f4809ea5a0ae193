"""What models took, by day, job, model and team: counted once, seen by whom the runs are."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db.models import Sum
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from perdure.dashboard.usage.figures import start_of_today
from perdure.dashboard.usage.numbers import amount
from runs import clock, jobs
from runs.maintenance.usage import KEPT, count_all, forget_old
from runs.models import Attempt, Run, RunStatus, UsageHour
from runs.testing import drain, temporary_jobs

SignedIn = Callable[..., Client]


def use(run: Run, outcome: str = "completed", step: str = "ask", **usage: Any) -> Attempt:
    """The row that an attempt leaves."""
    given = {"provider": "acme", "model": "small", "input_tokens": 100, "output_tokens": 20, "cost": 0.5} | usage
    now = clock.now()
    return Attempt.objects.create(
        run=run, step_name=step, number=run.attempts.count() + 1, epoch=1, outcome=outcome, started_at=now,
        ended_at=None if outcome == "open" else now, usage=given,
    )  # fmt: skip


def test_the_page_adds_up_what_one_may_see(
    run: Run, owner: User, member: User, stranger: User, signed_in: SignedIn
) -> None:
    use(run)
    use(run, cost="0.25")
    use(jobs.start("page-list", [1], owner=owner).run, model="large", input_tokens=1000)
    assert count_all() == 3
    usage = signed_in(owner).get("/usage/").context["usage"]
    assert (usage.total.calls, usage.total.tokens, usage.total.cost) == (3, 1260, 1.25)
    assert [(share.name, share.figures.tokens) for share in usage.by_job] == [
        ("page-list", 1020),
        ("page-nothing", 240),
    ]
    assert [share.name for share in usage.by_model] == ["acme: large", "acme: small"]
    assert {share.name for share in usage.by_team} == {"no team", "builders"}
    assert sum(usage.series[0].values) == 1020
    assert usage.series[0].values[-1] == 1020
    assert signed_in(member).get("/usage/").context["usage"].total.tokens == 240
    assert signed_in(stranger).get("/usage/").context["usage"].total.calls == 0


def test_an_attempt_is_counted_once_and_after_its_end(run: Run) -> None:
    attempt = use(run, "open")
    assert count_all() == 0
    Attempt.objects.filter(pk=attempt.pk).update(outcome="failed", ended_at=clock.now())
    assert (count_all(), count_all()) == (1, 0)
    assert UsageHour.objects.get().input_tokens == 100


def test_many_attempts_take_several_transactions(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runs.engine.store.usage.count_usage.__defaults__", (2,))
    monkeypatch.setattr("runs.maintenance.usage.BATCH", 2)
    for _ in range(5):
        use(run)
    assert count_all() == 5
    assert UsageHour.objects.get().attempts == 5


def test_what_was_paid_outlives_the_run(run: Run, owner: User, finish: Callable[..., Run]) -> None:
    use(finish(run, RunStatus.COMPLETED))
    jobs.delete(run.pk)
    assert not Attempt.objects.exists()
    assert UsageHour.objects.aggregate(tokens=Sum("input_tokens"))["tokens"] == 100


def test_hours_of_long_ago_are_forgotten(run: Run) -> None:
    use(run)
    count_all()
    UsageHour.objects.update(hour=clock.now() - KEPT - timedelta(hours=1))
    assert forget_old() == 1


def test_absurd_figures_stop_no_sum(run: Run) -> None:
    for _ in range(3):
        use(run, input_tokens=10**30, output_tokens=-5, cost="1e300", model=["no", "name"], provider=None)
    use(run, input_tokens="many", cost=True)
    assert count_all() == 4
    row = UsageHour.objects.get(model="")
    assert row.attempts == 3
    assert row.output_tokens == 0
    assert row.cost > 0


def test_the_export_is_a_table_that_runs_no_formula(
    run: Run, member: User, stranger: User, signed_in: SignedIn
) -> None:
    use(run, model='=HYPERLINK("http://evil.example")')
    count_all()
    answer = signed_in(member).get("/usage/export/?days=7")
    lines = b"".join(answer.streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    assert lines[0] == "day,job,provider,model,team,calls,input_tokens,output_tokens,cost"
    assert lines[1].startswith(f"{clock.now():%Y-%m-%d},page-nothing,acme,\"'=HYPERLINK(")
    assert lines[1].endswith(",builders,1,100,20,0.5")
    assert answer["Content-Disposition"] == 'attachment; filename="usage-7-days.csv"'
    other = signed_in(stranger).get("/usage/export/")
    assert len(b"".join(other.streaming_content).splitlines()) == 1  # type: ignore[attr-defined]


@pytest.mark.parametrize("query", ["days=5", "days=x", "by=love", "days=%00"])
def test_a_range_that_is_not_offered_is_refused(query: str, owner: User, signed_in: SignedIn) -> None:
    assert signed_in(owner).get(f"/usage/?{query}").status_code == 400


def test_an_empty_page_says_what_to_do(owner: User, signed_in: SignedIn) -> None:
    assert "Choose a job" in signed_in(owner).get("/usage/").content.decode()


@pytest.mark.parametrize("path", ["/usage/", "/usage/export/"])
def test_the_anonymous_sign_in_first(path: str) -> None:
    assert Client().get(path)["Location"] == f"/sign-in/?next={path}"


def test_budgets_of_the_day_show_to_whom_they_are(
    run: Run, team: Group, member: User, stranger: User, administrator: User, signed_in: SignedIn, settings: Any
) -> None:
    settings.DAY_BUDGETS = {"*": {"cost": 10.0}, "builders": {"tokens": 130.0, "cost": 0.5}}
    use(run)
    count_all()

    def lines(user: User) -> list[tuple[str, str, str]]:
        return [(line.whose, line.what, line.state) for line in signed_in(user).get("/").context["home"].today.budgets]

    of_team = [("builders", "Tokens", "nearly"), ("builders", "Money", "spent")]
    assert lines(member) == of_team
    assert lines(administrator) == [("All teams", "Money", "open"), *of_team]
    assert lines(stranger) == []


def test_yesterday_is_no_part_of_today(run: Run, owner: User, signed_in: SignedIn) -> None:
    use(run)
    count_all()
    UsageHour.objects.update(hour=start_of_today() - timedelta(hours=1))
    assert signed_in(owner).get("/").context["home"].today.used.calls == 0


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (999, "999"), (1200, "1.2 k"), (3_456_000, "3.46 M"), (0.0042, "0.0042"), (12.5, "12.50")],
)
def test_numbers_read_at_a_glance(value: float, text: str) -> None:
    assert amount(value) == text


@given(st.floats(min_value=0, max_value=1e15))
def test_any_number_is_short(value: float) -> None:
    assert len(amount(value)) <= 12


@pytest.mark.django_db(transaction=True)
def test_what_a_jobs_own_step_tells_is_counted() -> None:
    with temporary_jobs():

        @jobs.job("page-uses")
        async def page_uses(step: jobs.StepContext) -> None:
            def ask(number: int) -> None:
                jobs.current_attempt().usage(model="own", input_tokens=number, output_tokens=1, cost=0.1)

            await step.run("first", ask, 10)
            await step.run("second", ask, 20)

        owner = User.objects.create_user("nina")
        run = jobs.start("page-uses", owner=owner).run
        assert drain() == [run.pk]
    assert count_all() == 2
    row = UsageHour.objects.get(job="page-uses")
    assert (row.owner, row.model, row.attempts, row.input_tokens, row.cost) == (owner, "own", 2, 30, 200_000_000)
