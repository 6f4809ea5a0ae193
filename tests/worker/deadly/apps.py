from django.apps import AppConfig


class DeadlyConfig(AppConfig):
    name = "tests.worker.deadly"
    label = "deadly"
