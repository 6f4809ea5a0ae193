from django.apps import AppConfig


class PipelinesConfig(AppConfig):
    name = "flows.pipelines"
    label = "pipelines"
    verbose_name = "Pipelines"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from flows.pipelines import checks  # noqa: F401  (registers the system checks)
        from flows.pipelines.forks import decides_about_people
        from runs.jobs import guard_forks

        guard_forks(decides_about_people)
