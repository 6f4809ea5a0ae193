"""What a call of a vendor can fail with. Every message ends with the remedy, and none holds a key."""

from typing import ClassVar

from providers.replies import Usage


class ProviderError(Exception):
    """`code` is stable; `is_retryable` says whether the same call may succeed later.

    `retry_after`: the seconds that the vendor asked to wait, None when it did not say.
    `usage`: what this failed call cost, as the vendor said or estimated; None when it cost nothing.
    """

    code: ClassVar[str] = "provider_error"
    is_retryable: ClassVar[bool] = False
    remedy: ClassVar[str] = "See the provider's status page and logs."

    def __init__(self, problem: str, *, retry_after: float | None = None, usage: Usage | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.retry_after = retry_after
        self.usage = usage

    @property
    def message(self) -> str:
        return f"{self.problem} {self.remedy}"

    def __str__(self) -> str:
        return self.message


class RateLimited(ProviderError):
    code = "rate_limited"
    is_retryable = True
    remedy = "Try again after the time it asks for, or lower the profile's concurrency limit."


class Overloaded(ProviderError):
    code = "overloaded"
    is_retryable = True
    remedy = "Try again later, or use another model or provider."


class Unavailable(ProviderError):
    """An answer of 5xx, or no connection."""

    code = "provider_unavailable"
    is_retryable = True
    remedy = "Check that the provider runs and that its base URL is reachable from the workers, then try again."


class StreamCut(ProviderError):
    """The stream ended before the vendor said that the answer was complete; `text` is what came until then."""

    code = "stream_cut"
    is_retryable = True
    remedy = "Try again; if it happens each time, look for a proxy that ends long answers."

    def __init__(
        self, problem: str, *, text: str = "", retry_after: float | None = None, usage: Usage | None = None
    ) -> None:
        super().__init__(problem, retry_after=retry_after, usage=usage)
        self.text = text


class MalformedAnswer(ProviderError):
    code = "malformed_answer"
    is_retryable = True
    remedy = "Try again; if it happens each time, check that the base URL speaks the profile's kind of wire."


class ProviderTimeout(ProviderError):
    code = "provider_timeout"
    is_retryable = True
    remedy = "Try again, or raise the profile's timeout_seconds."


class Refused(ProviderError):
    """The model or the vendor's content filter declined to answer."""

    code = "refused"
    remedy = "Change what is asked; the same question will be refused again."


class ContextOverflow(ProviderError):
    code = "context_overflow"
    remedy = "Send less (shorten or summarise the conversation), or use a model with a larger context window."


class AuthenticationFailed(ProviderError):
    code = "authentication_failed"
    remedy = "Check that the secret which the profile names is set, valid and permitted to use this model."


class QuotaExceeded(ProviderError):
    """The account's credit or spending limit is used up; to wait does not help."""

    code = "quota_exceeded"
    remedy = "Add credit or raise the spending limit at the provider, or use another profile."


class CannotContinue(ProviderError):
    """The model does not take `continue_from`; its client says so from now on, and the next call begins anew."""

    code = "cannot_continue"
    is_retryable = True
    remedy = "Try again without continue_from."


class BadRequest(ProviderError):
    code = "provider_refused_request"
    remedy = "Correct the request or the profile's extra fields; the provider will not take it as it is."


class NotSupported(ProviderError):
    code = "not_supported"
    remedy = "Use a provider or model that offers it."


class ScriptedError(ProviderError):
    """A scenario lets this call fail; to try it again would bring the same."""

    code = "scripted_error"
    remedy = "The scenario of the scripted provider wants it so; correct it if you do not."


class ModelNotFound(ProviderError):
    code = "model_not_found"
    remedy = "Correct the model's name, or pull it where the provider runs."


ERRORS: dict[str, type[ProviderError]] = {
    error.code: error
    for error in (
        RateLimited,
        Overloaded,
        Unavailable,
        StreamCut,
        MalformedAnswer,
        ProviderTimeout,
        Refused,
        ContextOverflow,
        AuthenticationFailed,
        QuotaExceeded,
        CannotContinue,
        BadRequest,
        NotSupported,
        ScriptedError,
        ModelNotFound,
    )
}
