"""Typed settings of people in the loop: `settings.HITL_<NAME>` in Django's settings."""

from dataclasses import dataclass, fields

from django.conf import settings


@dataclass(frozen=True, kw_only=True)
class HitlSettings:
    """Each field is read from `settings.HITL_<NAME IN CAPITALS>`."""

    base_url: str = "http://localhost:8000"
    question_path: str = "/questions/{id}/"
    inbox_path: str = "/inbox/"
    email: bool = False
    webhook_url: str = ""
    webhook_secret: str = ""
    webhook_allow_private: bool = False

    def question_url(self, question_id: object) -> str:
        """The page of a question. It needs a sign-in, and opening it decides nothing."""
        return self.base_url + self.question_path.format(id=question_id)

    @property
    def inbox_url(self) -> str:
        return self.base_url + self.inbox_path


def get_settings() -> HitlSettings:
    """The settings in force."""
    found = {
        field.name: getattr(settings, f"HITL_{field.name.upper()}")
        for field in fields(HitlSettings)
        if hasattr(settings, f"HITL_{field.name.upper()}")
    }
    return HitlSettings(**found)
