"""One question to a model, answered as a stream: a job of one step, recorded like any other."""

from typing import Any

from django.http.response import HttpResponseBase
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from flows.llm.errors import ProfileNotFound
from flows.llm.profiles import find_spec
from flows.pipelines import starting
from flows.pipelines.api.door import NdjsonRenderer, V1Door, v1_operation
from flows.pipelines.api.jobs import LINES, stream
from flows.pipelines.api.requests import Suggest
from flows.pipelines.spec import PipelineDef
from runs.api.errors import InvalidRequest
from runs.api.requests import read_body, refuse_unknown


class SuggestStream(V1Door):
    renderer_classes = (NdjsonRenderer, JSONRenderer)

    @v1_operation(
        "suggest_stream",
        "Ask a model once, and follow its answer",
        LINES,
        body=Suggest,
        description="Starts a job of the pipeline `suggest`, which has one step, and answers with its stream. The job "
        "is yours, stays after the stream, and is read and cancelled like any other; the last line has the result.",
    )
    def post(self, request: Request) -> HttpResponseBase:
        refuse_unknown(request.query_params)
        body = read_body(Suggest, self.body(request))
        try:
            find_spec(body.provider_profile_id)
        except ProfileNotFound as exc:
            raise InvalidRequest.of("provider_profile_id", "names no provider profile") from exc
        options: dict[str, Any] = {"prompt": body.prompt, "system": body.system}
        if body.max_tokens is not None:
            options["max_tokens"] = body.max_tokens
        given = {"options": options}
        started = starting.start(_pipeline(body), given, owner=request.user, actor=self.actor(request))
        return stream(request, started.run)


def _pipeline(body: Suggest) -> PipelineDef:
    """What is asked comes as options: one definition serves all questions to a model."""
    return PipelineDef.model_validate({
        "type": "suggest", "version": "1", "title": "One question to a model",
        "steps": [{
            "id": "suggest", "kind": "llm", "export": True, "provider_profile_id": body.provider_profile_id,
            "config": {"model": body.model} if body.model else {},
            "prompt": {"system": "{{ options.system }}", "user": "{{ options.prompt }}"},
        }],
    })  # fmt: skip
