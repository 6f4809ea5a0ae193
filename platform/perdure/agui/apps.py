from django.apps import AppConfig


class AguiConfig(AppConfig):
    name = "perdure.agui"
    label = "agui"
    verbose_name = "AG-UI"
    default_auto_field = "django.db.models.BigAutoField"
