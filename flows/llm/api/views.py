"""REST doors to provider profiles: everybody reads which there are, staff say where they lead."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from flows.llm import profiles
from flows.llm.api import errors  # noqa: F401  (its statuses belong to the table)
from flows.llm.api.shapes import ChangeProvider, CreateProvider, ProviderPage, ProviderShape
from flows.llm.errors import ProfileNotFound
from flows.llm.models import PROFILE_ID, ProviderProfile
from flows.llm.spec import ProfileSpec, refuse_secrets
from runs.api.documents import operation
from runs.api.door import Door
from runs.api.requests import read_body, refuse_unknown

PROVIDER_ID = OpenApiParameter(
    "provider_id",
    {"type": "string", "minLength": 1, "maxLength": 100, "pattern": rf"^{PROFILE_ID}$"},
    OpenApiParameter.PATH,
    description="Id of the profile.",
)
_VERBS = {"GET": "view", "HEAD": "view", "OPTIONS": "view", "POST": "add", "PUT": "change", "DELETE": "delete"}


class MayReadOrWriteProfiles(IsAuthenticated):
    """Everybody reads; staff with the permission to do so write."""

    def has_permission(self, request: Request, view: Any) -> bool:
        verb = _VERBS.get(request.method or "", "change")
        if not super().has_permission(request, view) or verb == "view":
            return bool(request.user and request.user.is_authenticated)
        return bool(request.user.is_staff and request.user.has_perm(f"llm.{verb}_providerprofile"))


class ProviderDoor(Door):
    permission_classes = (MayReadOrWriteProfiles,)

    def shape(self, request: Request, row: ProviderProfile) -> dict[str, Any]:
        is_staff = request.user.is_staff and request.user.has_perm("llm.view_providerprofile")
        return ProviderShape.of(row, for_staff=bool(is_staff))

    def read(self, request: Request, kind: type[ProfileSpec]) -> Any:
        """The body; that it holds a secret is said before anything else of it."""
        data = self.body(request)
        refuse_secrets(data)
        return read_body(kind, data)


class ProviderList(ProviderDoor):
    @operation("providers_list", "List the provider profiles", {200: ProviderPage}, refusals=(400,))
    def get(self, request: Request) -> Response:
        refuse_unknown(request.query_params)
        found = [self.shape(request, row) for row in ProviderProfile.objects.all()]
        return Response({"results": found, "next": None, "previous": None})

    @operation(
        "providers_create",
        "Create a provider profile; staff only",
        {201: ProviderShape},
        body=CreateProvider,
        refusals=(409,),
        description="For staff with the permission to add profiles. A field that is named as secrets are, such as "
        "`api_key`, is refused with `secret_not_accepted`: give the name of the workers' variable in `api_key_env`.",
    )
    def post(self, request: Request) -> Response:
        body: CreateProvider = self.read(request, CreateProvider)
        spec = ProfileSpec(**body.model_dump(exclude={"id"}))
        made = profiles.create_profile(body.id, spec, self.actor(request))
        location = request.build_absolute_uri(f"{made.pk}/")
        return Response(self.shape(request, made), status=201, headers={"Location": location})


class ProviderDetail(ProviderDoor):
    @operation(
        "providers_get",
        "Get a provider profile",
        {200: ProviderShape},
        refusals=(400, 404),
        parameters=[PROVIDER_ID],
    )
    def get(self, request: Request, provider_id: str) -> Response:
        refuse_unknown(request.query_params)
        row = ProviderProfile.objects.filter(pk=provider_id).first() if "\0" not in provider_id else None
        if row is None:
            raise ProfileNotFound(provider_id)
        return Response(self.shape(request, row))

    @operation(
        "providers_change",
        "Change a provider profile; staff only",
        {200: ProviderShape},
        body=ChangeProvider,
        refusals=(404,),
        parameters=[PROVIDER_ID],
        description="For staff with the permission to change profiles. Calls under way end as they began; whatever "
        "is called after it, also by runs that began before, uses it.",
    )
    def put(self, request: Request, provider_id: str) -> Response:
        body = self.read(request, ChangeProvider)
        return Response(self.shape(request, profiles.change_profile(provider_id, body, self.actor(request))))

    @operation(
        "providers_delete",
        "Delete a provider profile; staff only",
        {204: None},
        refusals=(404, 409),
        parameters=[PROVIDER_ID],
        description="Runs that name it fail at their next call. `default` cannot be deleted.",
    )
    def delete(self, request: Request, provider_id: str) -> Response:
        profiles.delete_profile(provider_id, self.actor(request))
        return Response(status=204)
