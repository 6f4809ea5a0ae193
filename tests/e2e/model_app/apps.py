from django.apps import AppConfig


class ModelAppConfig(AppConfig):
    name = "tests.e2e.model_app"
    label = "model_app"
