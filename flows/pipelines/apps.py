from django.apps import AppConfig


class PipelinesConfig(AppConfig):
    name = "flows.pipelines"
    label = "pipelines"
    verbose_name = "Pipelines"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from flows.pipelines import checks  # noqa: F401  (registers the system checks)
