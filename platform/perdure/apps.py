from django.apps import AppConfig


class PerdureConfig(AppConfig):
    name = "perdure"
