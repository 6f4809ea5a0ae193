"""The addresses below /ag-ui/."""

from django.urls import URLPattern, URLResolver

app_name = "agui"
urlpatterns: list[URLPattern | URLResolver] = []
