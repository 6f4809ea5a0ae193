"""The ASGI application: HTTP to Django, WebSockets to the live doors."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "perdure.settings")

from django.core.asgi import get_asgi_application

# Django is set up before anything that imports a model.
_http = get_asgi_application()

from channels.routing import ProtocolTypeRouter

application = ProtocolTypeRouter({"http": _http})
