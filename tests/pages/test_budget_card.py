"""The page of a run shows its budget, why the run is parked, and what was granted."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from perdure.dashboard.run.rows import event_text
from runs import jobs
from runs.jobs import Budget, StepContext, current_attempt, job
from runs.testing import drain, temporary_jobs

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_parked_run_says_what_is_spent_and_who_may_grants_more_there(client: Client, settings: Any) -> None:
    settings.RUNS_UNLOAD_AFTER = 0.05
    team = Group.objects.create(name="night shift")
    starter, member = User.objects.create_user("sara"), User.objects.create_user("alice")
    starter.groups.add(team)
    member.groups.add(team)
    with temporary_jobs():

        @job("spends", budget=Budget(tokens=1000))
        async def spends(step: StepContext) -> None:
            for number in range(3):
                await step.run(f"call {number}", lambda: current_attempt().usage(input_tokens=700))

        run = jobs.start("spends", owner=starter, team=team).run
        drain()
        client.force_login(starter)
        page = client.get(f"/runs/{run.id}/").content.decode()
        assert "Waiting for a decision about its limit by the team night shift" in page
        assert "1,400 of 1,000" in page
        assert 'value="approve"' not in page
        client.force_login(member)
        assert 'value="approve"' in client.get(f"/runs/{run.id}/").content.decode()
        jobs.grant_budget(run.id, {"tokens": 5000})
        page = client.get(f"/runs/{run.id}/").content.decode()
        assert "1,400 of 6,000 (5,000 granted)" in page
    said = {str(event.type): event_text(event) for event in run.events.filter(type__startswith="budget:")}
    assert said == {"budget:exceed": "tokens: 1400 of 1000", "budget:grant": "tokens +5000"}
