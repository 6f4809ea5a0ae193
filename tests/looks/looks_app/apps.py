from django.apps import AppConfig


class LooksAppConfig(AppConfig):
    name = "tests.looks.looks_app"
    label = "looks_app"
