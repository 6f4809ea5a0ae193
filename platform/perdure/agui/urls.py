"""The addresses below /ag-ui/."""

from django.urls import URLPattern, URLResolver, path

from perdure.agui.views import threads

app_name = "agui"
urlpatterns: list[URLPattern | URLResolver] = [
    path("threads/", threads.threads, name="threads"),
    path("threads/<str:thread_id>/", threads.thread, name="thread"),
]
