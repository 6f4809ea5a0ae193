from django.urls import path

from runs.live import views

# With and without the slash: a client that follows no redirects would see no events.
urlpatterns = [
    path("api/runs/<str:run_id>/events", views.events, name="run-events"),
    path("api/runs/<str:run_id>/events/", views.events),
]
