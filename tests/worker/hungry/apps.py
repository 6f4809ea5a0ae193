from django.apps import AppConfig


class HungryConfig(AppConfig):
    name = "tests.worker.hungry"
    label = "hungry"
