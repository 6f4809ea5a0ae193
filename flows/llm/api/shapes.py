"""What the doors of profiles take and answer."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import ConfigDict, Field, StringConstraints

from flows.llm.models import PROFILE_ID, Kind, ProviderProfile
from flows.llm.spec import Limits, ProfileSpec
from runs.api.shapes import Page, Shape

Id = Annotated[str, StringConstraints(pattern=rf"^{PROFILE_ID}$", max_length=100)]


class CreateProvider(ProfileSpec):
    """A profile to create. Secrets are named in `api_key_env` or `secret_file`, never sent."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=False)

    id: Id


class ChangeProvider(ProfileSpec):
    """All of a profile; what is left out is not kept."""


class ProviderShape(Shape):
    """Where models are reached. What only staff may see is null for others, and the secret is nowhere."""

    id: str
    kind: Kind
    default_model: str
    limits: Limits
    base_uri: str | None = Field(description="Staff only.")
    api_key_env: str | None = Field(description="Staff only: the name of the variable that holds the secret.")
    secret_file: str | None = Field(description="Staff only.")
    extra: dict[str, Any] | None = Field(description="Staff only.")
    updated_at: datetime

    @classmethod
    def of(cls, row: ProviderProfile, *, for_staff: bool) -> dict[str, Any]:
        hidden = {
            name: getattr(row, name) if for_staff else None
            for name in ("base_uri", "api_key_env", "secret_file", "extra")
        }
        return cls(
            id=row.pk, kind=Kind(row.kind), default_model=row.default_model, limits=Limits(**row.limits),
            updated_at=row.updated_at, **hidden,
        ).as_json()  # fmt: skip


class ProviderPage(Page[ProviderShape]):
    """All profiles, by id."""
