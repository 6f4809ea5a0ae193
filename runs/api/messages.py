"""REST doors to what a run is told, and to what it says of itself."""

from rest_framework.request import Request
from rest_framework.response import Response

from runs import jobs
from runs.api.documents import PAGE, RUN_ID, operation
from runs.api.door import Door
from runs.api.pages import page
from runs.api.requests import SendSignal, read_body, refuse_unknown
from runs.api.shapes import SentShape, SignalPage, SignalShape, StateShape
from runs.models import Signal, State


class RunSignals(Door):
    @operation("signals_list", "List a run's signals", {200: SignalPage}, refusals=(400, 404),
               parameters=[RUN_ID, *PAGE])  # fmt: skip
    def get(self, request: Request, run_id: str) -> Response:
        refuse_unknown(request.query_params, "cursor", "limit")
        return Response(page(request, Signal.objects.filter(run=self.find(request, run_id)), SignalShape.of))

    @operation(
        "signals_send",
        "Send a signal to a run",
        {201: SentShape, 200: SentShape},
        body=SendSignal,
        refusals=(404, 409),
        parameters=[RUN_ID],
        description="It is kept until the run waits for it, and consumed once. 201 and `created`; or 200 and "
        "`idempotent` with the signal that the idempotency key already sent.",
    )
    def post(self, request: Request, run_id: str) -> Response:
        run = self.find(request, run_id)
        body = read_body(SendSignal, self.body(request))
        sent = jobs.signal(
            run.id, body.name, body.payload, idempotency_key=body.idempotency_key, actor=self.actor(request)
        )
        shown = SignalShape.of(sent.signal) | {"disposition": sent.disposition}
        return Response(shown, status=201 if sent.disposition == "created" else 200)


class RunState(Door):
    @operation("runs_state", "Get a run's state", {200: StateShape}, refusals=(400, 404), parameters=[RUN_ID])
    def get(self, request: Request, run_id: str) -> Response:
        refuse_unknown(request.query_params)
        run = self.find(request, run_id)
        kept = State.objects.filter(run=run).first()
        return Response(StateShape(value=kept.value if kept else {}, last_sequence=run.last_sequence).as_json())
