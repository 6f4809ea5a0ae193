from django.apps import AppConfig


class PerdureConfig(AppConfig):
    name = "perdure"

    def ready(self) -> None:
        from perdure import checks  # noqa: F401  (registers the system checks)
