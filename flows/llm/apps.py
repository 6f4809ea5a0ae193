from django.apps import AppConfig


class LlmConfig(AppConfig):
    name = "flows.llm"
    label = "llm"
    verbose_name = "Language models"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from flows.llm import checks  # noqa: F401  (registers the system checks)
        from flows.llm.tools import checks as of_tools  # noqa: F401  (and those of tools)
        from flows.llm.tools.forks import decides_about_calls
        from flows.llm.workflow import read, tell
        from runs.events.workflows import add_teller
        from runs.jobs import guard_forks, read_workflows

        guard_forks(decides_about_calls)
        add_teller("chats", tell)
        read_workflows("chats", read)
