"""`manage.py start_run`: what it prints, how it ends, and what it refuses."""

import io
import subprocess
import sys

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from runs.management.following import BAD_INPUT
from runs.models import Run
from tests.servers.installation import ROOT, Installation

SHORT = '{"start": 1, "pause_seconds": 0}'


def test_without_follow_it_prints_the_id_and_ends_at_once(example_server: Installation):
    done = example_server.manage("start_run", "countdown", "--input", SHORT, "--user", "admin")
    run_id, disposition = done.stdout.split()
    assert disposition == "created"
    assert example_server.run(run_id)["owner"] == "admin"
    assert example_server.wait_for_status(run_id, "completed")["job"] == "countdown"


@pytest.mark.django_db
def test_a_used_idempotency_key_gives_the_first_run():
    User.objects.create_user("admin")
    first, second = (started("--input", SHORT, "--user", "admin", "--idempotency-key", "once") for _ in range(2))
    assert (first[1], second[1]) == ("created", "idempotent")
    assert first[0] == second[0] == str(Run.objects.get().id)


def started(*arguments: str) -> list[str]:
    """The words that `start_run countdown` prints."""
    out = io.StringIO()
    call_command("start_run", "countdown", *arguments, stdout=out)
    return out.getvalue().split()


def test_following_a_run_that_somebody_cancels_exits_with_2(example_server: Installation):
    process = subprocess.Popen(
        [sys.executable, "manage.py", "start_run", "countdown", "--user", "admin", "--follow"],
        cwd=ROOT,
        env=example_server.environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    run_id = process.stdout.readline().split()[0]
    answer = example_server.request("POST", f"/api/runs/{run_id}/cancel/", json={})
    assert answer.status_code == 200, answer.text
    rest = process.stdout.read()
    process.stdout.close()
    assert process.wait(60) == 2
    assert rest.splitlines()[-1].split()[2] == "run:cancel"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("no-such-job",), "There is no job 'no-such-job'. Register it with @job in the jobs.py of an installed app."),
        (("countdown", "--job-version", "9"), "There is no version '9' of job 'countdown'."),
        (("countdown", "--input", "{"), "--input is not JSON: "),
        (("countdown", "--input", '{"pause_seconds": NaN}'), "--input is not JSON: NaN is not a JSON number."),
        (("countdown", "--input", "[" * 100_000), "--input is not JSON: "),
        (("countdown", "--input", "[]"), "The input does not fit job 'countdown': "),
        (("countdown", "--input", '{"start": 0}'), "start: Input should be greater than or equal to 1"),
        (("countdown", "--input", '{"begin": 3}'), "begin: Extra inputs are not permitted"),
        (("countdown", "--user", "nobody-known"), "There is no user 'nobody-known'. Create one in the admin"),
    ],
)
@pytest.mark.django_db
def test_bad_input_is_refused_with_its_remedy_and_starts_nothing(arguments, problem):
    out = io.StringIO()
    with pytest.raises(CommandError) as refused:
        call_command("start_run", *arguments, stdout=out)
    assert (refused.value.returncode, out.getvalue()) == (BAD_INPUT, "")
    assert problem in str(refused.value)
    assert not Run.objects.exists()


def test_a_refusal_is_said_on_stderr_and_by_the_exit_code(example_server: Installation):
    done = example_server.manage("start_run", "no-such-job", check=False)
    assert (done.returncode, done.stdout) == (BAD_INPUT, "")
    assert "There is no job 'no-such-job'." in done.stderr
