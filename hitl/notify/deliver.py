"""Sending what the outbox holds: claimed by one worker at a time, tried again later each time, never lost silently."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from django.db import transaction

from hitl.conf import get_settings
from hitl.models import Channel, Delivery, DeliveryStatus
from hitl.notify import mail, webhook
from runs import clock

log = logging.getLogger(__name__)

MAX_ATTEMPTS: Final = 20
LEASE: Final = timedelta(minutes=2)
"""Longer than any attempt: whose process died is sent by another then."""

_FIRST_SECONDS, _LONGEST_SECONDS = 10, 3600
_ROUND_SECONDS: Final = 10.0


def deliver_mails() -> int:
    """Send the mails that are due; how many were tried."""
    return _deliver(Channel.EMAIL, mail.send) if get_settings().email else 0


def deliver_webhooks() -> int:
    """Post the messages that are due; how many were tried."""
    return _deliver(Channel.WEBHOOK, webhook.send) if get_settings().webhook_url else 0


def send_again(delivery_id: Any) -> int:
    """An ended delivery is due once more, with all its attempts; 1, or 0 if it has not ended."""
    return (
        Delivery.objects.filter(pk=delivery_id)
        .exclude(status=DeliveryStatus.PENDING)
        .update(status=DeliveryStatus.PENDING, attempts=0, error="", due_at=clock.now(), ended_at=None)
    )


def _deliver(channel: Channel, send: Callable[[Delivery], str]) -> int:
    count, began_at = 0, clock.monotonic()
    while clock.monotonic() - began_at < _ROUND_SECONDS and (delivery := _claim(channel)) is not None:
        _try(delivery, send)
        count += 1
    return count


def _claim(channel: Channel) -> Delivery | None:
    """The delivery that is due longest, for this process alone until its lease ends."""
    due = Delivery.objects.filter(channel=channel, status=DeliveryStatus.PENDING, due_at__lte=clock.now())
    if not due.exists():
        return None  # a look costs no write lock
    with transaction.atomic():
        delivery = due.select_for_update(skip_locked=True).order_by("due_at", "id").first()
        if delivery is not None:
            delivery.attempts += 1
            delivery.due_at = clock.now() + LEASE
            delivery.save(update_fields=["attempts", "due_at"])
    return delivery


def _try(delivery: Delivery, send: Callable[[Delivery], str]) -> None:
    """`send` gives why nothing was sent, or an empty text; whatever it raises is a reason to try again."""
    try:
        needless = send(delivery)
    except Exception as exc:
        _put_off(delivery, f"{type(exc).__name__}: {exc}".replace("\0", "")[:500])
    else:
        _end(delivery, DeliveryStatus.DROPPED if needless else DeliveryStatus.SENT, needless)


def _put_off(delivery: Delivery, error: str) -> None:
    if delivery.attempts >= MAX_ATTEMPTS:
        log.error("Delivery %s (%s) failed %d times and is given up: %s", delivery.pk, delivery, MAX_ATTEMPTS, error)
        return _end(delivery, DeliveryStatus.FAILED, error)
    seconds = min(_FIRST_SECONDS * 2 ** (delivery.attempts - 1), _LONGEST_SECONDS)
    log.warning("Delivery %s (%s) is tried again in %d s: %s", delivery.pk, delivery, seconds, error)
    _update(delivery, error=error, due_at=clock.now() + timedelta(seconds=seconds))


def _end(delivery: Delivery, status: DeliveryStatus, error: str) -> None:
    _update(delivery, status=status, error=error, ended_at=clock.now())


def _update(delivery: Delivery, **values: Any) -> None:
    """Unless its lease ended and another worker tries it meanwhile."""
    mine = Delivery.objects.filter(pk=delivery.pk, attempts=delivery.attempts, status=DeliveryStatus.PENDING)
    mine.update(**values)
