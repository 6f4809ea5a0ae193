"""Which provider profile answers: what the frontend wishes for, if an administrator lets it."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from flows.llm.errors import ProfileNotFound
from flows.llm.profiles import DEFAULT


def chosen_profile(props: Mapping[str, Any]) -> str:
    """`profile` of the frontend's properties, or the default one.

    Any other than those of CHAT_AGENT_PROFILES raises ProfileNotFound, whether it is there or not: a frontend does not
    choose what is spent, and does not learn which profiles there are.
    """
    wished = props.get("profile")
    if wished in (None, "", DEFAULT):
        return DEFAULT
    if not isinstance(wished, str) or wished not in settings.CHAT_AGENT_PROFILES:
        raise ProfileNotFound(wished)
    return wished
