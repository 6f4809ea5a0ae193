from django.apps import AppConfig


class TroubledConfig(AppConfig):
    name = "tests.faults.conditions.troubled"
    label = "troubled"
