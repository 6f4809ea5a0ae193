"""Writing the rows of schedules: each change in one transaction with its audit row."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from itertools import chain, islice
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from runs import clock
from runs.definitions import registry
from runs.engine.payload import encode
from runs.engine.schedules import GRACE, LONGEST, Timetable
from runs.engine.store.kept import KeptSecrets
from runs.engine.store.rows import SYSTEM, Actor, write_audit
from runs.engine.store.start import StartOptions, check_text
from runs.errors import InvalidOption, NameTaken, ScheduleNotFound, ScheduleOver
from runs.models import CatchUp, Overlap, Schedule

_TIMES = ("cron", "timezone", "at")
_WORK = ("job", "version", "input")


@dataclass(frozen=True, kw_only=True)
class ScheduleSpec:
    """What a schedule is made of.

    Of `cron` (five fields, read in `timezone`) and `at` one is given. `version` "" is the newest, `queue` "" the
    job's own. `catch_up_within`, 1 minute to 31 days: what was missed for longer is not made up for.
    """

    name: str
    job: str
    version: str = ""
    input: Any = None
    cron: str = ""
    timezone: str = "UTC"
    at: datetime | None = None
    overlap: str = Overlap.SKIP
    catch_up: str = CatchUp.LAST
    catch_up_within: timedelta = timedelta(days=1)
    labels: dict[str, str] = field(default_factory=dict)
    queue: str = ""
    priority: int = 0
    team: Any = None

    @property
    def timetable(self) -> Timetable:
        return Timetable(self.cron, self.timezone, self.at)

    def check(self) -> None:
        """Raises InvalidOption for what is not about the job."""
        check_text("name", self.name)
        StartOptions(labels=self.labels, queue=self.queue or None, priority=self.priority).check()
        self.timetable.check()
        if self.overlap not in Overlap.values:
            raise InvalidOption("overlap", "is no policy", f"Use one of: {', '.join(Overlap.values)}.")
        if self.catch_up not in CatchUp.values:
            raise InvalidOption("catch_up", "is no policy", f"Use one of: {', '.join(CatchUp.values)}.")
        if not GRACE <= self.catch_up_within <= LONGEST:
            raise InvalidOption("catch_up_within", "is out of bounds", "Use 1 minute to 31 days.")


def create_schedule(spec: ScheduleSpec, *, owner: Any = None, paused: bool = False, actor: Actor = SYSTEM) -> Schedule:
    """Start a job by itself from now on. Raises InvalidOption, JobNotFound, InvalidInput, StorageError, NameTaken."""
    now = clock.now()
    schedule = Schedule(owner=owner, created_at=now, is_paused=paused)
    _take(schedule, spec)
    _take_work(schedule, spec)
    first = _first(spec)
    schedule.next_at = None if paused else first
    return _saved(schedule, actor, "schedule.create", {"name": spec.name, "job": spec.job})


def change_schedule(
    schedule_id: UUID | str, changes: Mapping[str, Any], *, by: Any = None, actor: Actor = SYSTEM
) -> Schedule:
    """Change the given fields of a ScheduleSpec; a new `cron` replaces `at`, and the other way round.

    Where somebody else (`by`) changes the job or the input of a team's schedule, it becomes theirs: its runs do what
    they decided, and who starts a run may not approve what it asks. Likewise where they take it from the team of an
    owner who is not in it any more: that one would get what the team set up since.
    Raises ScheduleNotFound, and what `create_schedule` raises; then nothing is changed.
    """
    unknown = set(changes) - {one.name for one in fields(ScheduleSpec)}
    if unknown:
        raise InvalidOption(sorted(unknown)[0], "is nothing of a schedule", "Leave it out.")
    with transaction.atomic():
        schedule = lock(schedule_id)
        spec = replace(spec_of(schedule), **_one_kind_of_time(changes))
        old_times, was_shared = timetable_of(schedule), schedule.team is not None
        was_left, old_team = owner_at_work(schedule) != schedule.owner, schedule.team
        _take(schedule, spec)
        if any(name in changes for name in _WORK):
            before = (schedule.job, schedule.job_version, schedule.input)
            kept = None if "input" in changes else KeptSecrets.of(schedule)
            _take_work(schedule, spec, kept)
            schedule.error = None
            # also when the same change takes it from the team: its former owner decided nothing of it
            if by is not None and was_shared and before != (schedule.job, schedule.job_version, schedule.input):
                schedule.owner = by
        if by is not None and was_left and schedule.team != old_team:
            schedule.owner = by
        if spec.timetable != old_times:
            schedule.error = None
            schedule.last_at = None if spec.at else schedule.last_at
            first = _first(spec)
            schedule.next_at = None if schedule.is_paused else first
        return _saved(schedule, actor, "schedule.change", {"changed": sorted(changes)})


def pause_schedule(schedule_id: UUID | str, *, actor: Actor = SYSTEM) -> Schedule:
    """Start nothing until it is resumed. Raises ScheduleNotFound; one that is paused already stays so."""
    with transaction.atomic():
        schedule = lock(schedule_id)
        if schedule.is_paused:
            return schedule
        schedule.is_paused, schedule.next_at = True, None
        return _saved(schedule, actor, "schedule.pause", {})


def resume_schedule(schedule_id: UUID | str, *, actor: Actor = SYSTEM) -> Schedule:
    """Go on with the next time from now; those of the pause are not made up for.

    A one-off whose time came in the pause is due at once. Raises ScheduleNotFound, ScheduleOver.
    """
    with transaction.atomic():
        schedule = lock(schedule_id)
        times = timetable_of(schedule)
        if schedule.at and schedule.last_at:
            raise ScheduleOver(schedule.name)
        if not schedule.is_paused and schedule.next_at:
            return schedule
        schedule.is_paused, schedule.error = False, None
        schedule.next_at = schedule.at or times.after(clock.now())
        return _saved(schedule, actor, "schedule.resume", {})


def delete_schedule(schedule_id: UUID | str, *, actor: Actor = SYSTEM) -> None:
    """Remove it; its runs stay. Raises ScheduleNotFound."""
    with transaction.atomic():
        schedule = lock(schedule_id)
        write_audit(actor, "schedule.delete", schedule, {"name": schedule.name, "job": schedule.job})
        schedule.delete()


def lock(schedule_id: UUID | str) -> Schedule:
    """The schedule, held until the transaction ends. Raises ScheduleNotFound."""
    rows = Schedule.objects.select_for_update(no_key=True, of=("self",)).select_related("owner", "team")
    found = rows.filter(id=_as_uuid(schedule_id)).first()
    if found is None:
        raise ScheduleNotFound(schedule_id)
    return found


def owner_at_work(schedule: Schedule) -> Any:
    """Whose its runs are: the owner's, but nobody's where they have left its team, which then has it alone."""
    owner, team = schedule.owner, schedule.team
    if owner is None or team is None or owner.is_superuser or owner.groups.filter(pk=team.pk).exists():
        return owner
    return None


def timetable_of(schedule: Schedule) -> Timetable:
    return Timetable(schedule.cron, schedule.timezone, schedule.at)


def next_times(schedule: Schedule, count: int = 5) -> list[datetime]:
    """The next times, in UTC, at which it starts a run; none while it is paused or when it is over."""
    if schedule.next_at is None:
        return []
    return [schedule.next_at, *timetable_of(schedule).upcoming(max(schedule.next_at, clock.now()), count - 1)]


def times_between(schedule: Schedule, start: datetime, end: datetime, most: int) -> list[datetime]:
    """The times still to come in [start, end), in UTC, at which it starts a run: at most `most`, the first of them."""
    if schedule.next_at is None:
        return []
    first = [schedule.next_at] if start <= schedule.next_at < end else []
    since = max(schedule.next_at, clock.now(), start - timedelta(microseconds=1))
    return list(islice(chain(first, timetable_of(schedule).until(since, end)), most))


def cron_in_words(schedule: Schedule) -> str:
    """As in "At 09:00 on Monday through Friday"; empty for a one-off."""
    return timetable_of(schedule).in_words()


def spec_of(schedule: Schedule) -> ScheduleSpec:
    same = ("name", "job", "input", "cron", "timezone", "at", "overlap", "catch_up", "labels", "queue", "priority")
    return ScheduleSpec(
        **{name: getattr(schedule, name) for name in same}, version=schedule.job_version, team=schedule.team,
        catch_up_within=timedelta(seconds=schedule.catch_up_seconds),
    )  # fmt: skip


def _take(schedule: Schedule, spec: ScheduleSpec) -> None:
    spec.check()
    for name in ("name", "labels", "queue", "priority", "team", "cron", "timezone", "at", "overlap", "catch_up"):
        setattr(schedule, name, getattr(spec, name))
    schedule.catch_up_seconds = int(spec.catch_up_within.total_seconds())


def _take_work(schedule: Schedule, spec: ScheduleSpec, kept: KeptSecrets | None = None) -> None:
    """The job with its input, as a run would get it now: what cannot be started is refused."""
    job = registry.get(spec.job, spec.version or None)
    payload = encode(job.parse_input(spec.input), f"The input of job {job.name!r}")
    if kept is not None:
        kept.check(spec.job, payload)
    schedule.job, schedule.job_version = spec.job, spec.version
    schedule.input, schedule.secrets = payload.value, payload.secrets


def _first(spec: ScheduleSpec) -> datetime:
    found = spec.timetable.after(clock.now())
    if found is None:
        raise InvalidOption("at", "has passed", "Give a time that is still to come.")
    return found


def _one_kind_of_time(changes: Mapping[str, Any]) -> dict[str, Any]:
    given = {name: "" if name == "cron" and value is None else value for name, value in changes.items()}
    if given.get("cron"):
        given.setdefault("at", None)
    if given.get("at"):
        given.setdefault("cron", "")
    return given


def _saved(schedule: Schedule, actor: Actor, action: str, data: dict[str, Any]) -> Schedule:
    schedule.changed_at = clock.now()
    try:
        with transaction.atomic():
            schedule.save()
            write_audit(actor, action, schedule, data)
    except IntegrityError as exc:
        raise NameTaken("schedule", schedule.name) from exc
    return schedule


def _as_uuid(schedule_id: UUID | str) -> UUID:
    try:
        return schedule_id if isinstance(schedule_id, UUID) else UUID(schedule_id)
    except (ValueError, AttributeError, TypeError) as exc:
        raise ScheduleNotFound(schedule_id) from exc
