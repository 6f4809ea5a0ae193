"""Provider profiles in the words of the pipeline API."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from flows.llm import profiles
from flows.llm.api.shapes import CreateProvider, ProviderShape
from flows.llm.api.views import MayReadOrWriteProfiles
from flows.llm.errors import ProfileNotFound
from flows.llm.models import ProviderProfile
from flows.llm.spec import ProfileSpec, refuse_secrets
from flows.pipelines.api.door import V1Door, v1_operation
from runs.api.requests import read_body, refuse_unknown
from runs.api.shapes import Shape


class Providers(Shape):
    providers: list[ProviderShape]


class ProviderBody(Shape):
    provider: ProviderShape


class ConfigProviders(V1Door):
    permission_classes = (MayReadOrWriteProfiles,)

    @v1_operation("config_providers", "List the provider profiles", {200: Providers}, refusals=(400,))
    def get(self, request: Request) -> Response:
        refuse_unknown(request.query_params)
        return Response({"providers": [_provider(request, row) for row in ProviderProfile.objects.all()]})

    @v1_operation(
        "config_provider_upsert",
        "Create a provider profile, or change all of it; staff only",
        {200: ProviderBody},
        body=CreateProvider,
        description="For staff with the permissions to add and to change profiles. A field that is named as secrets "
        "are, such as `api_key`, is refused with `secret_not_accepted`: name the variable in `api_key_env`.",
    )
    def post(self, request: Request) -> Response:
        data = self.body(request)
        refuse_secrets(data)
        body = read_body(CreateProvider, data)
        spec = ProfileSpec(**body.model_dump(exclude={"id"}))
        if not request.user.has_perm("llm.change_providerprofile"):
            row = profiles.create_profile(body.id, spec, self.actor(request))
        else:
            row = _put(body.id, spec, self.actor(request))
        return Response({"provider": _provider(request, row)})


def _put(profile_id: str, spec: ProfileSpec, actor: Any) -> ProviderProfile:
    try:
        return profiles.change_profile(profile_id, spec, actor)
    except ProfileNotFound:
        return profiles.create_profile(profile_id, spec, actor)


def _provider(request: Request, row: ProviderProfile) -> dict[str, Any]:
    is_staff = request.user.is_staff and request.user.has_perm("llm.view_providerprofile")
    return ProviderShape.of(row, for_staff=bool(is_staff))
