from django.apps import AppConfig


class AguiConfig(AppConfig):
    name = "perdure.agui"
    label = "agui"
    verbose_name = "AG-UI"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from perdure.agui import checks  # noqa: F401  (registers the system checks)
        from perdure.agui.transcript import settle_run
        from perdure.agui.turns import THREAD_LABEL
        from runs.jobs import watch_ends

        watch_ends(THREAD_LABEL, settle_run)
