"""The ASGI application: HTTP to Django, WebSockets to the live doors."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "perdure.settings")

from django.core.asgi import get_asgi_application

# Django is set up before anything that imports a model.
_http = get_asgi_application()

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings

import hitl.live.routing
import perdure.agui.live.routing
from perdure.accounts.live import TokenAuthMiddleware
from perdure.backpressure import Backpressure
from perdure.origin import OriginCheck
from runs.live.routing import unknown, websocket_urlpatterns

_sockets = AuthMiddlewareStack(
    TokenAuthMiddleware(
        URLRouter(
            [
                *websocket_urlpatterns,
                *hitl.live.routing.websocket_urlpatterns,
                *perdure.agui.live.routing.websocket_urlpatterns,
                unknown,
            ]
        )
    )
)
_origins = [*settings.CORS_ALLOWED_ORIGINS, settings.BASE_URL]

_doors = ProtocolTypeRouter({"http": _http, "websocket": OriginCheck(_sockets, _origins, settings.ALLOWED_HOSTS)})

application = Backpressure(_doors)
