from django.apps import AppConfig


class TalkingAppConfig(AppConfig):
    name = "tests.e2e.talking_app"
    label = "talking_app"
