"""WebSocket addresses. `unknown` comes after those of all apps."""

from django.urls import re_path

from runs.live.consumers import RunListSocket, RunSocket, UnknownSocket

websocket_urlpatterns = [
    re_path(r"^ws/runs/$", RunListSocket.as_asgi()),  # type: ignore[arg-type]  # an ASGI application, as URLRouter wants
    re_path(r"^ws/runs/(?P<run_id>[^/]+)/?$", RunSocket.as_asgi()),  # type: ignore[arg-type]
]

unknown = re_path(r"", UnknownSocket.as_asgi())  # type: ignore[arg-type]
