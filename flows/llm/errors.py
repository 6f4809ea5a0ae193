"""What profiles and model calls are refused for; every message ends with the remedy."""

from typing import Any

from runs.errors import RunsError


class ProfileNotFound(RunsError):
    code = "provider_not_found"
    is_retryable = False

    def __init__(self, profile_id: object) -> None:
        super().__init__(
            f"There is no provider profile {str(profile_id)[:100]!r}. Create it at /api/providers/ or in the admin, "
            "or name another one."
        )


class ProfileExists(RunsError):
    code = "provider_exists"

    def __init__(self, profile_id: str) -> None:
        super().__init__(f"There is a provider profile {profile_id!r} already. Change that one, or take another id.")


class ProfileNeeded(RunsError):
    """Without it calls that name no profile would go to the scripted provider unseen."""

    code = "provider_needed"

    def __init__(self, profile_id: str) -> None:
        super().__init__(
            f"Provider profile {profile_id!r} is what calls use that name none, so it cannot be deleted. Change it."
        )


class InvalidProfile(RunsError):
    """`fields` is a list of `{"field", "message"}`."""

    code = "invalid_profile"
    is_retryable = False

    def __init__(self, fields: list[dict[str, str]]) -> None:
        self.fields = fields
        named = "; ".join(f"{field['field']}: {field['message']}" for field in fields[:5])
        super().__init__(f"The provider profile does not fit: {named}. Correct it.")

    @classmethod
    def of(cls, field: str, message: str) -> "InvalidProfile":
        return cls([{"field": field, "message": message}])

    @property
    def details(self) -> dict[str, Any]:
        return {"fields": self.fields}


class SecretNotAccepted(RunsError):
    """Secrets are named, never stored: a database, its backups and its readers would have them."""

    code = "secret_not_accepted"
    is_retryable = False

    def __init__(self, field: str) -> None:
        self.field = field
        super().__init__(
            f"{field} looks like a secret, and secrets are never stored. Put it in an environment variable of the "
            "workers and give that variable's name in api_key_env, or in a file that secret_file names."
        )

    @property
    def details(self) -> dict[str, Any]:
        return {"field": self.field, "use": ["api_key_env", "secret_file"]}


class SecretMissing(RunsError):
    """The variable or file that a profile names is not there for this process."""

    code = "secret_missing"
    is_retryable = False

    def __init__(self, profile_id: str, named: str) -> None:
        super().__init__(
            f"Provider profile {profile_id!r} names {named}, which is not set where this worker runs. Set it and start "
            "the workers again, or name another one."
        )


class AnswerTooLarge(RunsError):
    """The answer would be more than a step may record; the connection was closed when that was sure."""

    code = "answer_too_large"
    is_retryable = False

    def __init__(self, step: str, limit: int) -> None:
        super().__init__(
            f"The model's answer to step {step!r} is larger than the {limit} bytes that a step may record; what came "
            "so far is in its last checkpoint. Ask for less, give max_tokens, or raise RUNS_MAX_PAYLOAD_BYTES."
        )


class ImageTooLarge(RunsError):
    code = "image_too_large"
    is_retryable = False

    def __init__(self, step: str, limit: int) -> None:
        super().__init__(
            f"The images of step {step!r} are larger than the {limit} bytes that a step may record. Ask for a smaller "
            "size or fewer, for a format that is compressed, or raise RUNS_MAX_PAYLOAD_BYTES."
        )


class TooManyTurns(RunsError):
    """The model went on calling tools."""

    code = "too_many_turns"

    def __init__(self, name: str, turns: int) -> None:
        super().__init__(
            f"{name!r} was not answered within {turns} turns: the model went on calling tools. Raise max_turns, or say "
            "in the prompt when it is done."
        )


class SlotLost(RunsError):
    """The worker's lease ran out while it held a slot: another call may have it by now."""

    code = "slot_lost"
    is_retryable = True

    def __init__(self, profile_id: str) -> None:
        super().__init__(
            f"The slot of a call to {profile_id!r} ran out with its worker's lease. It is tried again; see that the "
            "database answers within RUNS_LEASE_SECONDS."
        )
