"""What a question or an answer can be refused for; every message ends with the remedy."""

from typing import Any

from runs.errors import RunsError


class InvalidQuestion(RunsError):
    """Raised in the job: the question cannot be asked so."""

    code = "invalid_question"

    def __init__(self, title: str, problem: str, remedy: str) -> None:
        super().__init__(f"Question {title!r} {problem}. {remedy}")


class QuestionNotFound(RunsError):
    code = "question_not_found"

    def __init__(self, question_id: object) -> None:
        super().__init__(f"There is no question {str(question_id)[:64]!r}. Check its id, or look in your inbox.")


class QuestionClosed(RunsError):
    """`by` names who decided, in order; `status` is answered, expired or withdrawn."""

    code = "question_closed"

    def __init__(self, question_id: object, status: str, by: list[str]) -> None:
        self.status, self.by = status, by
        who = f" by {' and '.join(by)}" if by else ""
        super().__init__(
            f"Question {question_id} is {status}{who}; nothing was changed. Read the decision on its page."
        )

    @property
    def details(self) -> dict[str, Any]:
        return {"status": self.status, "by": self.by}


class QuestionChanged(RunsError):
    code = "question_changed"

    def __init__(self, question_id: object, digest: str) -> None:
        self.digest = digest
        super().__init__(
            f"Question {question_id} was changed after it was shown to you; nothing was decided. "
            "Read it again and answer what it asks now."
        )

    @property
    def details(self) -> dict[str, Any]:
        return {"digest": self.digest}


class AlreadyAnswered(RunsError):
    code = "already_answered"

    def __init__(self, question_id: object, by: str) -> None:
        super().__init__(f"{by} has answered question {question_id} already. Leave the rest to the others.")


class MayNotAnswer(RunsError):
    code = "may_not_answer"

    def __init__(self, question_id: object, why: str) -> None:
        super().__init__(f"You may not answer question {question_id}: {why}. Ask somebody whom it was put to.")


class MayNotWithdraw(RunsError):
    code = "may_not_withdraw"

    def __init__(self, question_id: object) -> None:
        super().__init__(
            f"You may not withdraw question {question_id}: its run is not yours. Ask who started the run, or its team."
        )


class InvalidAnswer(RunsError):
    """`fields` is a list of `{"field", "message"}`."""

    code = "invalid_answer"

    def __init__(self, fields: list[dict[str, str]]) -> None:
        self.fields = fields
        named = "; ".join(f"{field['field']}: {field['message']}" for field in fields[:5])
        super().__init__(f"The answer does not fit the question: {named}. Correct it and send it again.")

    @classmethod
    def of(cls, field: str, message: str) -> "InvalidAnswer":
        return cls([{"field": field, "message": message}])

    @property
    def details(self) -> dict[str, Any]:
        return {"fields": self.fields}


class QuestionExpired(RunsError):
    """Raised in the job when nobody decided in time and `on_timeout` is Fail()."""

    code = "question_expired"

    def __init__(self, title: str) -> None:
        super().__init__(f"Nobody answered {title!r} in time. Retry the run to go on, or give on_timeout a decision.")


class QuestionWithdrawn(RunsError):
    """Raised in the job whose question was taken back."""

    code = "question_withdrawn"

    def __init__(self, title: str, reason: str) -> None:
        self.reason = reason
        because = f": {reason}" if reason else ""
        super().__init__(f"Question {title!r} was withdrawn{because}. Catch QuestionWithdrawn to go on without it.")
