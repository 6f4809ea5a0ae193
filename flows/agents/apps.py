from django.apps import AppConfig


class AgentsConfig(AppConfig):
    name = "flows.agents"
    label = "agents"
    verbose_name = "Agent flows"
    default_auto_field = "django.db.models.BigAutoField"
