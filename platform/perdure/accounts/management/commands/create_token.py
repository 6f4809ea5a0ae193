from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from perdure.accounts.models import Scope
from perdure.accounts.tokens import create_token
from runs import clock


class Command(BaseCommand):
    help = "Make an API token and print it, and nothing else. It is shown this once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user", help="name of an existing user")
        parser.add_argument("--name", required=True, help="what will use it; up to 100 letters")
        parser.add_argument("--expires-in-days", type=float, metavar="DAYS", help="default: it does not expire")
        parser.add_argument("--read-only", action="store_true", help="it may read, and change nothing")

    def handle(
        self, *args: Any, user: str, name: str, expires_in_days: float | None, read_only: bool, **options: Any
    ) -> None:
        if not 0 < len(name.strip()) <= 100:
            raise CommandError("--name must have 1 to 100 letters. Name what will use the token.")
        if expires_in_days is not None and not 0 < expires_in_days <= 36_500:
            raise CommandError("--expires-in-days must be above 0 and at most 36500. Leave it out for no expiry.")
        owner = User.objects.filter(username=user).first()
        if owner is None or not owner.is_active:
            raise CommandError(f"There is no active user {user!r}. Make one in the admin or with createsuperuser.")
        until = clock.now() + timedelta(days=expires_in_days) if expires_in_days else None
        scope = Scope.READ if read_only else Scope.FULL
        self.stdout.write(create_token(owner, name.strip(), until, scope=scope))
