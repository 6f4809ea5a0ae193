"""Fields typed as secrets are whole for the job and masked for everybody who looks."""

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, SecretBytes, SecretStr

from runs import jobs
from runs.engine.payload import encode
from runs.jobs import StepContext, job
from runs.models import RunStatus, Step
from runs.testing import drain
from tests.engine.driver import begin, events

SECRET = "correct horse battery"


class Account(BaseModel):
    user: str
    password: SecretStr
    keys: list[SecretBytes] = []


@dataclass
class Vault:
    accounts: dict[str, Account]


def test_secrets_are_masked_wherever_they_are_shown_and_whole_where_they_are_used() -> None:
    used: list[str] = []

    @job("secretive")
    async def secretive(step: StepContext, account: Account) -> Vault:
        def use() -> Vault:
            used.append(account.password.get_secret_value())
            return Vault({"first": account})

        vault = await step.run("use", use)
        used.append(vault.accounts["first"].password.get_secret_value())
        used.append(vault.accounts["first"].keys[0].get_secret_value().decode())

        async def stream(emit: Any, checkpoint: Any) -> None:
            emit({"account": account})
            await checkpoint([account])

        await step.stream("stream", stream)
        step.log.info("done", account=account)
        return vault

    run = begin(secretive, {"user": "ada", "password": SECRET, "keys": [SECRET]})
    drain()
    ended = jobs.get(run.id)
    assert ended.status == RunStatus.COMPLETED, ended.error
    assert used == [SECRET] * 3
    for event in events(run):
        assert SECRET not in str(event.data)
    shown = {"user": "ada", "password": "***", "keys": ["***"]}
    assert jobs.redact(ended.input, ended.secrets["input"]) == shown
    assert jobs.redact(ended.output, ended.secrets["output"]) == {"accounts": {"first": shown}}
    use = Step.objects.get(name="use")
    assert jobs.redact(use.output, use.secrets) == {"accounts": {"first": shown}}
    assert [event.data["output"] for event in events(run) if event.type == "run:complete"] == [
        {"accounts": {"first": shown}}
    ]


def test_a_secret_in_the_input_survives_an_unload() -> None:
    """The row holds it, because the run needs it again."""
    found = encode({"a": [SecretStr("x")], "b": 1}, "here")
    assert (found.value, found.shown, found.secrets) == ({"a": ["x"], "b": 1}, {"a": ["***"], "b": 1}, [["a", 0]])
