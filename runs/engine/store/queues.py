"""What operators say of queues. It holds from the next claim on; runs that are driven already go on."""

from django.db import transaction

from runs.engine.store.rows import Actor, write_audit
from runs.engine.store.start import check_text
from runs.errors import InvalidOption, QueueNotFound
from runs.models import Queue

_MOST = 2**31 - 1


def set_queue(name: str, actor: Actor, *, concurrency: int | None, is_paused: bool) -> Queue:
    """Say all that holds for the queue from now on. Raises InvalidOption."""
    check_text("name", name, 100)
    if concurrency is not None and not 1 <= concurrency <= _MOST:
        raise InvalidOption("concurrency", "is less than 1 or too large", "Pause the queue to let nothing begin.")
    with transaction.atomic():
        queue, _ = Queue.objects.update_or_create(
            name=name, defaults={"concurrency": concurrency, "is_paused": is_paused}
        )
        write_audit(actor, "queue.set", name, {"concurrency": concurrency, "paused": is_paused})
    return queue


def forget_queue(name: str, actor: Actor) -> None:
    """The settings hold again for the queue. Raises QueueNotFound."""
    with transaction.atomic():
        # PostgreSQL takes no NUL
        queue = None if "\0" in name else Queue.objects.select_for_update().filter(name=name).first()
        if queue is None:
            raise QueueNotFound(name)
        write_audit(actor, "queue.forget", name)
        queue.delete()
