"""The WebSocket address of AG-UI."""

from django.urls import re_path

from perdure.agui.live.sockets import AguiSocket

websocket_urlpatterns = [
    re_path(r"^ag-ui/ws/?$", AguiSocket.as_asgi()),  # type: ignore[arg-type]  # an ASGI application, as URLRouter wants
]
