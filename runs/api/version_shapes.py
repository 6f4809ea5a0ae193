"""What REST answers about versions."""

from datetime import datetime
from typing import Any

from pydantic import Field

from runs.api.shapes import Shape
from runs.models import Rollout


class RolloutShape(Shape):
    """What share of a job's new runs gets another version."""

    job: str
    version: str
    base: str = Field(description="What the others get.")
    percent: int
    created_at: datetime
    changed_at: datetime

    @classmethod
    def of(cls, rollout: Rollout) -> dict[str, Any]:
        return cls.model_validate(rollout).as_json()
