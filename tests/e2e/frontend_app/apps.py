from django.apps import AppConfig


class FrontendAppConfig(AppConfig):
    name = "tests.e2e.frontend_app"
    label = "frontend_app"
