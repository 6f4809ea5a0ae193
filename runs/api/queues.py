"""REST doors to queues: everybody reads how many of their runs are in which, operators say what holds."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter
from pydantic import Field
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from runs import jobs
from runs.api.documents import operation
from runs.api.door import Door
from runs.api.requests import SetQueue, read_body, refuse_unknown
from runs.api.shapes import Page, Shape
from runs.errors import QueueNotFound

NAME = OpenApiParameter(
    "name",
    {"type": "string", "minLength": 1, "maxLength": 100},
    OpenApiParameter.PATH,
    description="Name of the queue.",
)


class QueueShape(Shape):
    """A queue, with those of your runs in it that have not ended."""

    name: str
    concurrency: int | None = Field(description="How many of its runs may be driven at once; null: no limit.")
    paused: bool
    served: bool = Field(description="A live worker takes runs of it.")
    queued: int
    running: int
    waiting: int = Field(description="They hold no place of the queue.")
    held: int = Field(description="Runs that are paused themselves.")

    @classmethod
    def of(cls, queue: jobs.QueueState) -> dict[str, Any]:
        count = queue.runs.get
        return cls(
            name=queue.name, concurrency=queue.rule.concurrency, paused=queue.rule.is_paused, served=queue.is_served,
            queued=count("queued", 0), running=count("running", 0), waiting=count("waiting", 0),
            held=count("paused", 0),
        ).as_json()  # fmt: skip


class QueuePage(Page[QueueShape]):
    """All queues."""


class MayReadOrChangeQueues(IsAuthenticated):
    """Everybody reads; staff with the permission to change queues say what holds."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if not super().has_permission(request, view) or request.method in ("GET", "HEAD", "OPTIONS"):
            return bool(request.user and request.user.is_authenticated)
        return bool(request.user.is_staff and request.user.has_perm("runs.change_queue"))


class QueueList(Door):
    @operation("queues_list", "List the queues", {200: QueuePage}, refusals=(400,))
    def get(self, request: Request) -> Response:
        refuse_unknown(request.query_params)
        found = [QueueShape.of(queue) for queue in jobs.queues(request.user)]
        return Response({"results": found, "next": None, "previous": None})


class QueueDetail(Door):
    permission_classes = (MayReadOrChangeQueues,)

    @operation("queues_get", "Get a queue", {200: QueueShape}, refusals=(400, 404), parameters=[NAME])
    def get(self, request: Request, name: str) -> Response:
        refuse_unknown(request.query_params)
        return Response(_shown(request, name))

    @operation(
        "queues_set",
        "Say what holds for a queue; staff only",
        {200: QueueShape},
        body=SetQueue,
        parameters=[NAME],
        description="For staff with the permission to change queues. It holds from the next claim on, before the "
        "second is over; runs that are driven already go on.",
    )
    def put(self, request: Request, name: str) -> Response:
        body = read_body(SetQueue, self.body(request))
        jobs.set_queue(name, self.actor(request), concurrency=body.concurrency, is_paused=body.paused)
        return Response(_shown(request, name))

    @operation(
        "queues_forget",
        "Let the settings hold for a queue again; staff only",
        {204: None},
        refusals=(404,),
        parameters=[NAME],
    )
    def delete(self, request: Request, name: str) -> Response:
        jobs.forget_queue(name, self.actor(request))
        return Response(status=204)


def _shown(request: Request, name: str) -> dict[str, Any]:
    """Raises QueueNotFound for a name that nothing of the caller's has."""
    for queue in jobs.queues(request.user):
        if queue.name == name:
            return QueueShape.of(queue)
    raise QueueNotFound(name)
