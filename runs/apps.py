from importlib import import_module

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate
from django.utils.module_loading import module_has_submodule

from runs.errors import JobsNotLoaded, RunsError


class RunsConfig(AppConfig):
    name = "runs"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from runs import checks  # noqa: F401  (registers the system checks)
        from runs.worker.schedules import keep_clean_up_scheduled

        post_migrate.connect(keep_clean_up_scheduled, sender=self)
        for app in apps.get_app_configs():
            _load_jobs(app)


def _load_jobs(app: AppConfig) -> None:
    """Import the app's `jobs` module, if it has one. Raises JobsNotLoaded, and what registering refuses."""
    if app.module is None or not module_has_submodule(app.module, "jobs"):
        return
    try:
        import_module(f"{app.name}.jobs")
    except RunsError:
        raise
    except Exception as exc:
        raise JobsNotLoaded(app.name, exc) from exc
