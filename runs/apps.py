from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.module_loading import autodiscover_modules


class RunsConfig(AppConfig):
    name = "runs"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from runs import checks  # noqa: F401  (registers the system checks)
        from runs.worker.schedules import keep_clean_up_scheduled

        post_migrate.connect(keep_clean_up_scheduled, sender=self)
        autodiscover_modules("jobs")
