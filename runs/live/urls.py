from django.urls import path

from runs.live import views

# Included below api/. With and without the slash: a client that follows no redirects would see no events.
urlpatterns = [
    path("runs/<str:run_id>/events", views.events, name="run-events"),
    path("runs/<str:run_id>/events/", views.events),
    path("workflows/<str:run_id>/events", views.workflow_events),
    path("workflows/<str:run_id>/events/", views.workflow_events),
]
