from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "perdure.accounts"
    label = "accounts"
    verbose_name = "Access"
    default_auto_field = "django.db.models.BigAutoField"
