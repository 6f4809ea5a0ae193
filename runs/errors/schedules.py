"""What schedules and presets are refused for."""

from typing import Any

from runs.errors.base import RunsError


class ScheduleNotFound(RunsError):
    code = "schedule_not_found"

    def __init__(self, schedule_id: object) -> None:
        super().__init__(f"There is no schedule {str(schedule_id)[:64]!r}. Check its id in the list of schedules.")


class PresetNotFound(RunsError):
    code = "preset_not_found"

    def __init__(self, preset_id: object) -> None:
        super().__init__(f"There is no preset {str(preset_id)[:64]!r}. Check its id in the list of presets.")


class NameTaken(RunsError):
    code = "name_taken"

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"There is a {kind} {name!r} of this team or person already. Change it, or use another name.")


class ScheduleBusy(RunsError):
    """A schedule whose runs must not overlap, started by hand while one is under way."""

    code = "schedule_busy"

    def __init__(self, name: str, run_id: object) -> None:
        self.run_id = str(run_id)
        super().__init__(
            f"Run {run_id} of schedule {name!r} is under way and its overlap policy is skip. "
            "Wait for its end, cancel it, or let its runs queue."
        )

    @property
    def details(self) -> dict[str, Any]:
        return {"run_id": self.run_id}


class ScheduleOver(RunsError):
    code = "schedule_over"

    def __init__(self, name: str) -> None:
        super().__init__(f"The one time of schedule {name!r} has passed. Give it a new time, or start it by hand.")


class OwnerInactive(RunsError):
    code = "owner_inactive"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"The owner of schedule {name!r} was deactivated and it has no team. Share it with a team, or delete it."
        )
