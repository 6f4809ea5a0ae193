"""The addresses below /copilotkit/. Its client ends none of them with a slash."""

from django.urls import URLPattern, URLResolver, path

from perdure.agui.copilotkit import single_route, views

app_name = "copilotkit"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", single_route.single, name="single"),
    path("info", views.info, name="info"),
    path("agent/<str:agent_id>/run", views.run, name="run"),
    path("agent/<str:agent_id>/connect", views.connect, name="connect"),
    path("agent/<str:agent_id>/stop/<str:thread_id>", views.stop, name="stop"),
    path("threads", views.threads, name="threads"),
    path("threads/<str:thread_id>", views.thread, name="thread"),
    path("threads/<str:thread_id>/archive", views.archive, name="archive"),
    path("threads/<str:thread_id>/messages", views.messages, name="messages"),
    path("threads/<str:thread_id>/state", views.state, name="state"),
    path("threads/<str:thread_id>/events", views.events, name="events"),
]
