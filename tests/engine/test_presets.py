"""Presets: a job with an input and labels under a name."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from pydantic import BaseModel, SecretStr

from runs import jobs
from runs.errors import InvalidInput, InvalidOption, JobNotFound, NameTaken, PresetNotFound
from runs.jobs import StepContext, job
from runs.models import Audit, Preset, Run
from runs.testing import drain


class Login(BaseModel):
    user: str
    password: SecretStr


@pytest.fixture(autouse=True)
def log_in() -> None:
    @job("log-in-as")
    async def log_in_as(step: StepContext, login: Login) -> str:
        return f"{login.user} {len(login.password.get_secret_value())}"


def as_ada(**options: Any) -> Preset:
    given = {"labels": {"kind": "test"}, **options}
    return jobs.create_preset("as ada", "log-in-as", {"user": "ada", "password": "hunter2"}, **given)


def test_a_preset_starts_runs_with_its_input_and_labels() -> None:
    preset = as_ada()
    assert preset.secrets == [["password"]]
    started = jobs.start_preset(preset.id, idempotency_key="click")
    assert jobs.start_preset(preset.id, idempotency_key="click").run.id == started.run.id
    drain()
    run = Run.objects.get()
    assert (run.output, run.labels, run.secrets) == ("ada 7", {"kind": "test"}, {"input": [["password"]]})


def test_a_run_of_a_preset_is_its_starters_and_in_the_team_only_with_a_member() -> None:
    team = Group.objects.create(name="night")
    ada, bob = User.objects.create_user("ada"), User.objects.create_user("bob")
    bob.groups.add(team)
    preset = as_ada(owner=ada, team=team)
    assert jobs.start_preset(preset.id, owner=bob).run.team == team
    assert jobs.start_preset(preset.id, owner=ada).run.team is None, "she has left the team"
    assert {run.owner for run in Run.objects.all()} == {ada, bob}


def test_what_could_not_be_started_is_refused() -> None:
    for wrong, kind in [(("x", "no-such-job"), JobNotFound), (("x", "log-in-as", {}), InvalidInput),
                        (("", "log-in-as", {"user": "a", "password": "b"}), InvalidOption)]:  # fmt: skip
        with pytest.raises(kind):
            jobs.create_preset(*wrong)
    preset = as_ada()
    with pytest.raises(NameTaken):
        as_ada()
    with pytest.raises(InvalidInput):
        jobs.change_preset(preset.id, {"input": {"user": 1}})
    for action in (jobs.delete_preset, jobs.start_preset):
        with pytest.raises(PresetNotFound):
            action("nothing")
    assert Preset.objects.get().input == {"user": "ada", "password": "hunter2"}


def test_changes_are_written_down() -> None:
    preset = as_ada()
    changed = jobs.change_preset(preset.id, {"name": "as bob", "input": {"user": "bob", "password": "x"}, "labels": {}})
    assert (changed.name, changed.input["user"], changed.labels) == ("as bob", "bob", {})
    jobs.delete_preset(preset.id)
    actions = Audit.objects.filter(target=str(preset.id)).order_by("id")
    assert [row.action for row in actions] == ["preset.create", "preset.change", "preset.delete"]
