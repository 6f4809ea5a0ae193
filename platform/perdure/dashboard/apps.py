from django.apps import AppConfig


class DashboardConfig(AppConfig):
    name = "perdure.dashboard"
    label = "dashboard"
