"""Is it up? Open to everybody, so it tells a status and the version, nothing else."""

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse

from runs import clock

_STARTED_AT = clock.monotonic()


async def livez(request: HttpRequest) -> JsonResponse:
    """200 as long as the process answers."""
    return _answer("ok")


async def health(request: HttpRequest) -> JsonResponse:
    """As `livez`, in the words of the pipeline API: since when this process answers, too."""
    return _answer("ok", uptime_sec=round(clock.monotonic() - _STARTED_AT, 3))


async def readyz(request: HttpRequest) -> JsonResponse:
    """200 when the database answers and has every migration, else 503."""
    return _answer("ok" if await sync_to_async(_database_is_ready)() else "unavailable")


def _answer(status: str, **more: float) -> JsonResponse:
    body = {"status": status, "version": settings.VERSION, **more}
    return JsonResponse(body, status=200 if status == "ok" else 503, headers={"Cache-Control": "no-store"})


def _database_is_ready() -> bool:
    try:
        executor = MigrationExecutor(connection)
        return not executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return False
