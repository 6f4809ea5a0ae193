from datetime import timedelta

from django.apps import AppConfig


class AgentsConfig(AppConfig):
    name = "flows.agents"
    label = "agents"
    verbose_name = "Agent flows"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from flows.agents import checks  # noqa: F401  (registers the system checks)
        from flows.agents.commanding import checks as of_commands  # noqa: F401  (registers the system checks)
        from flows.agents.forks import decides_about_people
        from flows.agents.workflows import flow_named
        from flows.agents.workspaces.sweeping import sweep
        from runs.jobs import guard_forks, name_workflows
        from runs.maintenance.chores import add_chore

        guard_forks(decides_about_people)
        name_workflows("agent flows", flow_named)
        add_chore("workspaces", sweep, every=timedelta(minutes=10))
