from django.apps import AppConfig


class SurvivalAppConfig(AppConfig):
    name = "tests.e2e.survival_app"
    label = "survival_app"
