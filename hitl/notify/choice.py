"""Whether a person gets mails about questions."""

from typing import Any

from hitl.conf import get_settings
from hitl.models import MailChoice


def may_choose(user: Any) -> bool:
    """Is there a mail server, and an address that it would send to?"""
    return get_settings().email and bool(user.email)


def wants_mails(user: Any) -> bool:
    return not MailChoice.objects.filter(user=user, wanted=False).exists()


def choose_mails(user: Any, wanted: bool) -> None:
    MailChoice.objects.update_or_create(user=user, defaults={"wanted": wanted})
