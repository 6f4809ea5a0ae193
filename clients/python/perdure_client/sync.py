"""The blocking client. Made by `generate.py` from `aio.py`; change that one."""

import time
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any, TypeVar

import httpx

from perdure_client import calls, pipeline_calls
from perdure_client.calls import Call, Id
from perdure_client.errors import ConnectionLost, error_of
from perdure_client.models import (
    Artifact,
    Event,
    Job,
    Metrics,
    Page,
    Pipeline,
    PipelineJob,
    PipelineJobPage,
    Question,
    Run,
    Signal,
    Step,
    StreamLine,
)
from perdure_client.places import JobPlace, Lines, Place, RunPlace
from perdure_client.transport import READING, TRIES, Settings, is_temporary

T = TypeVar("T")
L = TypeVar("L", Event, StreamLine)


class PerdureClient:
    """`with PerdureClient("https://perdure.example.org", token="...") as client:`

    Every method raises a PerdureError when the server refuses, and ConnectionLost when it cannot be reached.
    """

    def __init__(
        self, base_url: str, token: str, *, timeout: float = 30.0, reconnect_for: float | None = 300.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:  # fmt: skip
        """`timeout` in seconds for one answer; a stream that brought nothing new for `reconnect_for` seconds of
        trying raises ConnectionLost (None: it tries for ever)."""
        self._settings = Settings(base_url, token, timeout, reconnect_for)
        self._http = httpx.Client(**self._settings.options(), transport=transport)
        self.runs = Runs(self)
        self.jobs = Jobs(self)
        self.questions = Questions(self)
        self.pipelines = Pipelines(self)

    def __enter__(self) -> "PerdureClient":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def stream(self, run: Id, *, after: int = 0) -> Iterator[Event]:
        """The run's events from the one after `after` on, then live until it has ended; a cut connection is taken up
        again where it was."""
        return self.follow(RunPlace(run, after))

    def send(self, call: Call[T]) -> T:
        """Send one request. What changes nothing when it is repeated is tried again when no answer came."""
        for tries in range(1, TRIES + 1):
            try:
                response = self._http.request(call.method, call.path, json=call.body, params=list(call.query))
            except httpx.TransportError as exc:
                if tries == TRIES or not call.may_be_repeated:
                    raise ConnectionLost(f"No answer from {self._settings.base_url}: {exc!r}. Is it running?") from exc
                time.sleep(0.1 * 2**tries)
                continue
            if response.is_error:
                raise error_of(response)
            return call.read(response.content if call.is_file else response.json())
        raise AssertionError("unreachable")

    def follow(self, place: "Place[L]") -> Iterator[L]:
        """The entries from a place on, over as many connections as it takes."""
        patience = self._settings.patience()
        while not place.has_ended:
            before, cause = place.after, None
            try:
                for entry in self._connection(place):
                    patience.renew()
                    yield entry
            except httpx.TransportError as exc:
                cause = exc
            if place.has_ended or (place.after == before and self._is_read_to_its_end(place)):
                return
            patience.check(cause)
            time.sleep(place.delay())

    def _connection(self, place: "Place[L]") -> Iterator[L]:
        lines = Lines()
        with self._http.stream(
            "GET", place.path, params=place.query, headers={"Accept": "application/x-ndjson"}, timeout=READING
        ) as response:
            if response.is_error:
                response.read()
                if is_temporary(response):
                    return
                raise error_of(response)
            for data in response.iter_bytes():
                for line in lines.feed(data):
                    if (entry := place.take(line)) is not None:
                        yield entry

    def _is_read_to_its_end(self, place: "Place[L]") -> bool:
        if place.run is None:
            return False
        try:
            run = self.send(calls.get_run(place.run))
        except ConnectionLost:
            return False
        return run.has_ended and run.last_sequence <= place.after


class _Part:
    def __init__(self, client: PerdureClient) -> None:
        self._client = client
        self._send = client.send


class Jobs(_Part):
    """The jobs that runs can be started of."""

    def list(self) -> Page[Job]:
        return self._send(calls.list_jobs())


class Runs(_Part):
    """Durable executions of jobs."""

    def start(self, job: str, input: Any = None, **options: Any) -> Run:
        """Options as the REST API names them: version, team, idempotency_key, labels, priority, queue, run_at, ..."""
        return self._send(calls.start_run(job, input, **options))

    def get(self, run: Id) -> Run:
        return self._send(calls.get_run(run))

    def list(self, **filters: Any) -> Page[Run]:
        """Filters: status and job (lists repeat), label={key: value}, cursor, limit, ..."""
        return self._send(calls.list_runs(**filters))

    def steps(self, run: Id) -> Page[Step]:
        return self._send(calls.list_steps(run))

    def artifacts(self, run: Id, **filters: Any) -> Page[Artifact]:
        """The files that it has saved, every version. Filters: cursor, limit."""
        return self._send(calls.list_artifacts(run, **filters))

    def download(self, run: Id, name: str, version: int | None = None) -> bytes:
        """A file that it has saved: that version, or the newest."""
        return self._send(calls.download_artifact(run, name, version))

    def cancel(self, run: Id, reason: str = "") -> Run:
        return self._send(calls.act_on_run(run, "cancel", reason=reason))

    def pause(self, run: Id, reason: str = "") -> Run:
        return self._send(calls.act_on_run(run, "pause", reason=reason))

    def resume(self, run: Id) -> Run:
        return self._send(calls.act_on_run(run, "resume"))

    def retry(self, run: Id) -> Run:
        return self._send(calls.act_on_run(run, "retry"))

    def retrigger(self, run: Id) -> Run:
        return self._send(calls.act_on_run(run, "retrigger"))

    def fork(self, run: Id, step: str, *, input: Any = None, outputs: dict[str, Any] | None = None) -> Run:
        return self._send(calls.fork_run(run, step=step, input=input, outputs=outputs))

    def grant(self, run: Id, **more: float) -> Run:
        """Add to the hard limits of its budget: tokens, cost, steps, active_seconds. A run parked at one goes on."""
        return self._send(calls.grant_budget(run, **more))

    def signal(self, run: Id, name: str, payload: Any = None, *, idempotency_key: str | None = None) -> Signal:
        return self._send(calls.send_signal(run, name, payload, idempotency_key=idempotency_key))

    def wait(self, run: Id) -> Run:
        """Follow the run until it has ended."""
        for _ in self._client.stream(run):
            pass
        return self.get(run)


class Questions(_Part):
    """What runs ask people."""

    def list(self, **filters: Any) -> Page[Question]:
        """Filters: status (repeats), run, mine, cursor, limit."""
        return self._send(calls.list_questions(**filters))

    def get(self, question: Id) -> Question:
        return self._send(calls.get_question(question))

    def answer(
        self, question: Question, decision: str, value: Any = None, *, comment: str | None = None,
        idempotency_key: str | None = None,
    ) -> Question:  # fmt: skip
        """Answer the question as it was read: one that was changed since is refused with Conflict."""
        fields = {"value": value, "comment": comment, "idempotency_key": idempotency_key}
        return self._send(calls.answer_question(question, decision, **fields))


class Pipelines(_Part):
    """Pipelines by their own API, /v1."""

    def create(self, pipeline_type: str, input: Any, **options: Any) -> PipelineJob:
        """`mode="sync"` answers when the job has ended; further options: version, team, labels, idempotency_key, ..."""
        return self._send(pipeline_calls.create_job(pipeline_type, input, **options))

    def get(self, job: Id) -> PipelineJob:
        return self._send(pipeline_calls.get_job(job))

    def list(self, **filters: Any) -> PipelineJobPage:
        return self._send(pipeline_calls.list_pipeline_jobs(**filters))

    def cancel(self, job: Id, reason: str | None = None) -> PipelineJob:
        return self._send(pipeline_calls.cancel_job(job, reason))

    def rerun(
        self, job: Id, *, from_step_id: str | None = None, reuse_upstream: bool | None = None,
        override_input: Any = None,
    ) -> PipelineJob:  # fmt: skip
        """A new job; with `reuse_upstream` what came before `from_step_id` is taken over, not done again."""
        return self._send(pipeline_calls.rerun_job(job, from_step_id, reuse_upstream, override_input))

    def stream(self, job: Id, *, after_seq: int = 0) -> Iterator[StreamLine]:
        """The job's lines from the one after `after_seq` on; the last one is `stream_finished`."""
        return self._client.follow(JobPlace(calls.hex_of(job), after_seq))

    def definitions(self) -> Sequence[Pipeline]:
        return self._send(pipeline_calls.list_pipelines())

    def providers(self) -> Sequence[dict[str, Any]]:
        return self._send(pipeline_calls.list_providers())

    def upsert_provider(self, **profile: Any) -> dict[str, Any]:
        """Create or replace a provider profile; its secret is named in `api_key_env`, never sent."""
        return self._send(pipeline_calls.upsert_provider(profile))

    def metrics(self) -> Metrics:
        return self._send(pipeline_calls.get_metrics())
