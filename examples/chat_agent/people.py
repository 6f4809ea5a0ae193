"""For whom a run works: who started it, and their team."""

from uuid import UUID

from hitl.asking import GROUP
from runs.models import Run


def approvers(run_id: UUID) -> list[str]:
    """Who approves what the agent wants to do: whoever talks to it, or anybody of the team that shares the thread.

    Empty for a run that nobody owns: administrators decide.
    """
    run = Run.objects.select_related("owner", "team").get(id=run_id)
    team = [GROUP + run.team.name] if run.team is not None else []
    return [*([run.owner.get_username()] if run.owner is not None else []), *team]
