"""The asynchronous client. `generate.py` writes the blocking one from this file."""

import asyncio
from collections.abc import AsyncIterator, Sequence
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


class AsyncPerdureClient:
    """`async with AsyncPerdureClient("https://perdure.example.org", token="...") as client:`

    Every method raises a PerdureError when the server refuses, and ConnectionLost when it cannot be reached.
    """

    def __init__(
        self, base_url: str, token: str, *, timeout: float = 30.0, reconnect_for: float | None = 300.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:  # fmt: skip
        """`timeout` in seconds for one answer; a stream that brought nothing new for `reconnect_for` seconds of
        trying raises ConnectionLost (None: it tries for ever)."""
        self._settings = Settings(base_url, token, timeout, reconnect_for)
        self._http = httpx.AsyncClient(**self._settings.options(), transport=transport)
        self.runs = Runs(self)
        self.jobs = Jobs(self)
        self.questions = Questions(self)
        self.pipelines = Pipelines(self)

    async def __aenter__(self) -> "AsyncPerdureClient":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self._http.aclose()

    def stream(self, run: Id, *, after: int = 0) -> AsyncIterator[Event]:
        """The run's events from the one after `after` on, then live until it has ended; a cut connection is taken up
        again where it was."""
        return self.follow(RunPlace(run, after))

    async def send(self, call: Call[T]) -> T:
        """Send one request. What changes nothing when it is repeated is tried again when no answer came."""
        for tries in range(1, TRIES + 1):
            try:
                response = await self._http.request(call.method, call.path, json=call.body, params=list(call.query))
            except httpx.TransportError as exc:
                if tries == TRIES or not call.may_be_repeated:
                    raise ConnectionLost(f"No answer from {self._settings.base_url}: {exc!r}. Is it running?") from exc
                await asyncio.sleep(0.1 * 2**tries)
                continue
            if response.is_error:
                raise error_of(response)
            return call.read(response.content if call.is_file else response.json())
        raise AssertionError("unreachable")

    async def follow(self, place: "Place[L]") -> AsyncIterator[L]:
        """The entries from a place on, over as many connections as it takes."""
        patience = self._settings.patience()
        while not place.has_ended:
            before, cause = place.after, None
            try:
                async for entry in self._connection(place):
                    patience.renew()
                    yield entry
            except httpx.TransportError as exc:
                cause = exc
            if place.has_ended or (place.after == before and await self._is_read_to_its_end(place)):
                return
            patience.check(cause)
            await asyncio.sleep(place.delay())

    async def _connection(self, place: "Place[L]") -> AsyncIterator[L]:
        lines = Lines()
        async with self._http.stream(
            "GET", place.path, params=place.query, headers={"Accept": "application/x-ndjson"}, timeout=READING
        ) as response:
            if response.is_error:
                await response.aread()
                if is_temporary(response):
                    return
                raise error_of(response)
            async for data in response.aiter_bytes():
                for line in lines.feed(data):
                    if (entry := place.take(line)) is not None:
                        yield entry

    async def _is_read_to_its_end(self, place: "Place[L]") -> bool:
        if place.run is None:
            return False
        try:
            run = await self.send(calls.get_run(place.run))
        except ConnectionLost:
            return False
        return run.has_ended and run.last_sequence <= place.after


class _Part:
    def __init__(self, client: AsyncPerdureClient) -> None:
        self._client = client
        self._send = client.send


class Jobs(_Part):
    """The jobs that runs can be started of."""

    async def list(self) -> Page[Job]:
        return await self._send(calls.list_jobs())


class Runs(_Part):
    """Durable executions of jobs."""

    async def start(self, job: str, input: Any = None, **options: Any) -> Run:
        """Options as the REST API names them: version, team, idempotency_key, labels, priority, queue, run_at, ..."""
        return await self._send(calls.start_run(job, input, **options))

    async def get(self, run: Id) -> Run:
        return await self._send(calls.get_run(run))

    async def list(self, **filters: Any) -> Page[Run]:
        """Filters: status and job (lists repeat), label={key: value}, cursor, limit, ..."""
        return await self._send(calls.list_runs(**filters))

    async def steps(self, run: Id) -> Page[Step]:
        return await self._send(calls.list_steps(run))

    async def artifacts(self, run: Id, **filters: Any) -> Page[Artifact]:
        """The files that it has saved, every version. Filters: cursor, limit."""
        return await self._send(calls.list_artifacts(run, **filters))

    async def download(self, run: Id, name: str, version: int | None = None) -> bytes:
        """A file that it has saved: that version, or the newest."""
        return await self._send(calls.download_artifact(run, name, version))

    async def cancel(self, run: Id, reason: str = "") -> Run:
        return await self._send(calls.act_on_run(run, "cancel", reason=reason))

    async def pause(self, run: Id, reason: str = "") -> Run:
        return await self._send(calls.act_on_run(run, "pause", reason=reason))

    async def resume(self, run: Id) -> Run:
        return await self._send(calls.act_on_run(run, "resume"))

    async def retry(self, run: Id) -> Run:
        return await self._send(calls.act_on_run(run, "retry"))

    async def retrigger(self, run: Id) -> Run:
        return await self._send(calls.act_on_run(run, "retrigger"))

    async def fork(self, run: Id, step: str, *, input: Any = None, outputs: dict[str, Any] | None = None) -> Run:
        return await self._send(calls.fork_run(run, step=step, input=input, outputs=outputs))

    async def grant(self, run: Id, **more: float) -> Run:
        """Add to the hard limits of its budget: tokens, cost, steps, active_seconds. A run parked at one goes on."""
        return await self._send(calls.grant_budget(run, **more))

    async def signal(self, run: Id, name: str, payload: Any = None, *, idempotency_key: str | None = None) -> Signal:
        return await self._send(calls.send_signal(run, name, payload, idempotency_key=idempotency_key))

    async def wait(self, run: Id) -> Run:
        """Follow the run until it has ended."""
        async for _ in self._client.stream(run):
            pass
        return await self.get(run)


class Questions(_Part):
    """What runs ask people."""

    async def list(self, **filters: Any) -> Page[Question]:
        """Filters: status (repeats), run, mine, cursor, limit."""
        return await self._send(calls.list_questions(**filters))

    async def get(self, question: Id) -> Question:
        return await self._send(calls.get_question(question))

    async def answer(
        self, question: Question, decision: str, value: Any = None, *, comment: str | None = None,
        idempotency_key: str | None = None,
    ) -> Question:  # fmt: skip
        """Answer the question as it was read: one that was changed since is refused with Conflict."""
        fields = {"value": value, "comment": comment, "idempotency_key": idempotency_key}
        return await self._send(calls.answer_question(question, decision, **fields))


class Pipelines(_Part):
    """Pipelines by their own API, /v1."""

    async def create(self, pipeline_type: str, input: Any, **options: Any) -> PipelineJob:
        """`mode="sync"` answers when the job has ended; further options: version, team, labels, idempotency_key, ..."""
        return await self._send(pipeline_calls.create_job(pipeline_type, input, **options))

    async def get(self, job: Id) -> PipelineJob:
        return await self._send(pipeline_calls.get_job(job))

    async def list(self, **filters: Any) -> PipelineJobPage:
        return await self._send(pipeline_calls.list_pipeline_jobs(**filters))

    async def cancel(self, job: Id, reason: str | None = None) -> PipelineJob:
        return await self._send(pipeline_calls.cancel_job(job, reason))

    async def rerun(
        self, job: Id, *, from_step_id: str | None = None, reuse_upstream: bool | None = None,
        override_input: Any = None,
    ) -> PipelineJob:  # fmt: skip
        """A new job; with `reuse_upstream` what came before `from_step_id` is taken over, not done again."""
        return await self._send(pipeline_calls.rerun_job(job, from_step_id, reuse_upstream, override_input))

    def stream(self, job: Id, *, after_seq: int = 0) -> AsyncIterator[StreamLine]:
        """The job's lines from the one after `after_seq` on; the last one is `stream_finished`."""
        return self._client.follow(JobPlace(calls.hex_of(job), after_seq))

    async def definitions(self) -> Sequence[Pipeline]:
        return await self._send(pipeline_calls.list_pipelines())

    async def providers(self) -> Sequence[dict[str, Any]]:
        return await self._send(pipeline_calls.list_providers())

    async def upsert_provider(self, **profile: Any) -> dict[str, Any]:
        """Create or replace a provider profile; its secret is named in `api_key_env`, never sent."""
        return await self._send(pipeline_calls.upsert_provider(profile))

    async def metrics(self) -> Metrics:
        return await self._send(pipeline_calls.get_metrics())
