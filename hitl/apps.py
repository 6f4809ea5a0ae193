from datetime import timedelta

from django.apps import AppConfig


class HitlConfig(AppConfig):
    name = "hitl"
    verbose_name = "People in the loop"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from hitl import checks  # noqa: F401  (registers the system checks)
        from hitl.budgets import BudgetAsker
        from hitl.invariants import register_invariants
        from hitl.notify.deliver import deliver_mails, deliver_webhooks
        from runs.budgets import ask_by
        from runs.maintenance.chores import add_chore

        register_invariants()
        ask_by(BudgetAsker())
        # two, so that a mail server that hangs keeps no webhook waiting
        add_chore("mails", deliver_mails, every=timedelta(seconds=1))
        add_chore("webhooks", deliver_webhooks, every=timedelta(seconds=1))
