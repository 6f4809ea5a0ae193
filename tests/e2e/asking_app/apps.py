from django.apps import AppConfig


class AskingAppConfig(AppConfig):
    name = "tests.e2e.asking_app"
    label = "asking_app"
