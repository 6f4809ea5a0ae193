"""What a new installation gets by itself: tables, an administrator, and one run to look at."""

import os
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import AbstractUser, User
from django.core.management import call_command

from perdure.secret import keep_secret
from runs import jobs
from runs.models import Run

ADMINISTRATOR = "admin"
DEMO_JOB = "repository-report"


def migrate() -> None:
    """Bring the database to the newest migration."""
    call_command("migrate", interactive=False, verbosity=0)


def first_administrator() -> AbstractUser:
    """The administrator `admin`; made once, with a random password kept in `admin-password` (mode 600)."""
    user, created = User.objects.get_or_create(
        username=ADMINISTRATOR, defaults={"is_staff": True, "is_superuser": True}
    )
    if created or not user.has_usable_password():
        user.set_password(keep_secret(password_file(), length=24))
        user.save(update_fields=["password"])
    return user


def password_file() -> Path:
    return Path(settings.DATA_DIR) / "admin-password"


def start_demo(user: AbstractUser) -> Run | None:
    """Start the demonstration once in the life of a data directory; None when that happened before."""
    marker = Path(settings.DATA_DIR) / "demo-started"
    if marker.exists() or not settings.ENVIRONMENT.demo:
        return None
    # The key, because a crash between the two lines must not start it twice.
    run = jobs.start(DEMO_JOB, {}, owner=user, idempotency_key="first-start", actor=jobs.Actor.of(user)).run
    marker.write_text(f"{run.id}{os.linesep}")
    return run
