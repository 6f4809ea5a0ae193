"""Provider profiles that are there, and what only an app's file may say."""

from collections.abc import Iterator

from flows.agents.spec import Flow, Permission
from flows.agents.validation.found import Found, all_steps
from flows.documents import Path
from flows.llm.models import ProviderProfile
from flows.llm.profiles import DEFAULT


def unknown(flow: Flow) -> Iterator[Found]:
    """Personas and steps whose provider profile is not there. Asks the database."""
    wanted = dict(_wanted(flow))
    known = {DEFAULT, *ProviderProfile.objects.filter(pk__in=set(wanted.values())).values_list("pk", flat=True)}
    for path, profile in wanted.items():
        if profile not in known:
            told = f"there is no provider profile {profile[:60]!r}"
            yield Found(told, path, "Create it, or name another one.")


def risky(flow: Flow) -> Iterator[Found]:
    """The author of a stored flow need not be one who may let agents do everything."""
    for placed in all_steps(flow):
        if placed.step.permission is Permission.FULL:
            told = "agents of a stored flow ask people before they run something; only an app's file may say `full`"
            yield Found(told, (*placed.path, "required_permission_mode"), "Use `edit` or `ask`.")


def _wanted(flow: Flow) -> Iterator[tuple[Path, str]]:
    for name, persona in flow.personas.items():
        yield ("personas", name, "profile"), persona.profile
    for placed in all_steps(flow):
        if placed.step.profile is not None:
            yield (*placed.path, "profile"), placed.step.profile
