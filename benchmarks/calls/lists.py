"""A long list of runs, and people who look at it."""

from importlib import import_module

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import Group, User
from django.db import connection

from benchmarks.calls.waiting import ended
from runs import jobs

TEAMS, PEOPLE = 5, 10
MEMBER = "person-1"

# By the number of the row: what is rare must be spread over the whole time, and not lie together.
_SHARE = "(number * 7919 % 1000)"
_AT = "now() - ({count} - number) * interval '1.5 seconds'"
_STATUS = (
    f"CASE WHEN {_SHARE} < 950 THEN 'completed' WHEN {_SHARE} < 985 THEN 'failed' WHEN {_SHARE} < 995 THEN 'cancelled'"
    f" WHEN {_SHARE} < 998 THEN 'waiting' ELSE 'paused' END"
)
_ERROR = (
    "jsonb_build_object('type', 'ValueError', 'message', 'No customer ' || number || ' of kind ' || (number % 7),"
    " 'traceback', repeat('line ', 40))"
)


def fill_list(count: int) -> None:
    """`count` runs of ten jobs, ten people and five teams, 1.5 s apart; one of twenty has not completed."""
    people = [User.objects.get_or_create(username=f"person-{number}")[0].pk for number in range(PEOPLE)]
    teams = [Group.objects.get_or_create(name=f"team-{number}")[0] for number in range(TEAMS)]
    User.objects.get(username=MEMBER).groups.add(teams[1])
    (run,) = ended([jobs.start("bench-moment").run])
    at = _AT.format(count=count)
    is_ended = f"{_SHARE} < 995"
    _copy(
        str(run.id), count,
        id=f"(lpad(to_hex((extract(epoch from {at}) * 1000)::bigint), 12, '0') || '70008'"
        " || lpad(to_hex(number), 15, '0'))::uuid",
        job="CASE WHEN number % 2 = 0 THEN 'bench-moment' ELSE 'bench-job-' || (number % 20) END",
        status=_STATUS, created_at=at, run_at=at, started_at=at,
        finished_at=f"CASE WHEN {is_ended} THEN {at} + interval '1 second' * ({_SHARE} % 97 + 1) END",
        output=f"CASE WHEN {_SHARE} < 950 THEN output END", due_at="NULL",
        error=f"CASE WHEN {_SHARE} >= 950 AND {_SHARE} < 985 THEN {_ERROR} END",
        input="jsonb_build_object('customer', number,"
        " 'task', 'Look at order ' || number || repeat(' and the next', 12))",
        labels="jsonb_build_object('customer', 'c' || (number % 1000), 'env',"
        " CASE WHEN number % 3 = 0 THEN 'staging' ELSE 'prod' END)",
        owner_id=_one_of(people), team_id=_one_of([team.pk for team in teams]),
        # Their histories are pruned: else the workers would do that while pages are measured.
        pruned_at="now()", first_sequence="last_sequence + 1",
    )  # fmt: skip
    with connection.cursor() as cursor:
        # One of three has used something.
        cursor.execute(
            "INSERT INTO runs_runusage (run_id, attempts, input_tokens, output_tokens, cost)"
            " SELECT id, 3, abs(hashtext(id::text)) % 90000, 700, abs(hashtext(id::text || 'cost')) % 2000000000"
            " FROM runs_run WHERE abs(hashtext(id::text || 'used')) % 3 = 0"
        )
        cursor.execute("VACUUM ANALYZE runs_run")
        cursor.execute("VACUUM ANALYZE runs_runusage")


def sign_in(name: str) -> str:
    """A session of that person; its cookie."""
    user = User.objects.get(username=name)
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return str(session.session_key)


def _one_of(keys: list[int]) -> str:
    return f"(ARRAY[{', '.join(map(str, keys))}])[1 + number % {len(keys)}]"


def _copy(run_id: str, count: int, **changed: str) -> None:
    with connection.cursor() as cursor:
        names = [column.name for column in connection.introspection.get_table_description(cursor, "runs_run")]
        values = ", ".join(changed.get(name, f"runs_run.{name}") for name in names)
        cursor.execute(  # values in the text: what computes them is full of percent signs
            f"INSERT INTO runs_run ({', '.join(names)}) SELECT {values}"
            f" FROM runs_run, generate_series(1, {count}::bigint) number WHERE runs_run.id = '{run_id}'"
        )
