"""Definitions are stored once per version and never changed; what only an app's file may say is refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from flows.pipelines import catalogue, files, registry
from flows.pipelines.checks import check_files
from flows.pipelines.errors import InvalidPipeline, PipelineExists, PipelineNotFound
from flows.pipelines.models import Origin, PipelineDefinition
from flows.pipelines.starting import start
from flows.pipelines.stored import store
from runs import jobs
from runs.models import Audit, RunStatus
from runs.testing import run_to_end

pytestmark = pytest.mark.django_db(transaction=True)

Use = Callable[..., None]
ADD = "/admin/pipelines/pipelinedefinition/add/"


def document(version: str = "1", text: str = "x", **step: Any) -> dict[str, Any]:
    return {"type": "mine", "version": version, "steps": [{"id": "a", "kind": "map", "prompt": {"user": text}} | step]}


def test_a_stored_version_is_run_and_found(own_pipelines: Use) -> None:
    own_pipelines()
    row = store(document())
    assert (row.type, row.version, row.origin) == ("mine", "1", Origin.STORED)
    assert run_to_end(start("mine").run).output["items"][0]["data"] == {"text": "x"}
    store(document("2", "newer"))
    assert [made.version for made in catalogue.versions("mine")] == ["1", "2"]
    assert run_to_end(start("mine").run).output["items"][0]["data"] == {"text": "newer"}
    assert run_to_end(start("mine", version="1").run).output["items"][0]["data"] == {"text": "x"}
    assert Audit.objects.filter(action="pipeline.store").count() == 2


def test_a_version_is_stored_once(own_pipelines: Use) -> None:
    own_pipelines()
    assert store(document()).pk == store(document()).pk
    with pytest.raises(PipelineExists, match="another document has this version"):
        store(document(text="other"))
    assert PipelineDefinition.objects.count() == 1


def test_nobody_takes_the_type_of_an_apps_file(own_pipelines: Use) -> None:
    own_pipelines("type: mine\nversion: '1'\nsteps: [{id: a, kind: map, prompt: {user: file}}]")
    with pytest.raises(PipelineExists, match="an app brings this type as a file"):
        store(document("2"))


def test_an_unknown_type_is_an_error_that_names_a_near_one(own_pipelines: Use) -> None:
    own_pipelines()
    store(document())
    with pytest.raises(PipelineNotFound, match="Did you mean 'mine'"):
        start("mina")
    with pytest.raises(PipelineNotFound, match="in version '9'"):
        start("mine", version="9")


@pytest.mark.parametrize(
    "step",
    [
        {"kind": "llm", "provider_profile_id": "nobody"},
        {"kind": "llm", "provider_override": {"base_uri": "http://evil.example"}},
        {"kind": "llm", "provider_override": {"kind": "openai"}},
        {"kind": "llm", "provider_override": {"api_key_env": "SOME_API_KEY"}},
        {"kind": "llm", "provider_override": {"extra": {"headers": {"Authorization": "x"}}}},
        {"kind": "llm", "provider_override": {"api_key": "sk-1"}},
        {"kind": "llm", "approve": "none"},
        {"kind": "custom", "function": "os.system", "prompt": None},
        {"kind": "tool", "tool": "os.system", "prompt": None},
    ],
)
def test_what_only_an_apps_file_may_say_is_refused(own_pipelines: Use, step: dict[str, Any]) -> None:
    own_pipelines()
    with pytest.raises(InvalidPipeline) as caught:
        store(document(**step))
    assert caught.value.problems[0].line > 0
    assert "sk-1" not in str(caught.value)
    assert not PipelineDefinition.objects.exists()


def test_a_harmless_override_is_taken(own_pipelines: Use) -> None:
    own_pipelines()
    assert store(document(kind="llm", provider_override={"default_model": "small", "limits": {"max_tokens": 5}}))


def test_a_profile_that_has_gone_refuses_the_start(own_pipelines: Use) -> None:
    own_pipelines("type: p\nversion: '1'\nsteps: [{id: a, provider_profile_id: gone, prompt: {user: x}}]")
    with pytest.raises(InvalidPipeline, match="there is no provider profile 'gone'"):
        start("p")


def test_a_run_of_a_definition_that_nobody_stored_fails_and_says_so(own_pipelines: Use) -> None:
    own_pipelines()
    run = run_to_end(jobs.start("pipeline", {"pipeline": "mine", "definition": "0" * 64}).run)
    assert run.status == RunStatus.FAILED
    assert "There is no pipeline '0000" in run.error["message"]


def test_a_file_that_is_no_pipeline_is_a_system_check_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bad.yaml").write_text("type: bad\nversion: '1'\nsteps:\n  - id: a\n    kind: nope")
    (tmp_path / "good.yml").write_text("type: good\nversion: '1'\nsteps: [{id: a, kind: map, prompt: {user: x}}]")
    (tmp_path / "twice.json").write_text((tmp_path / "good.yml").read_text())
    (tmp_path / "note.txt").write_text("no pipeline")
    loaded = files.load_folders([tmp_path, tmp_path / "nowhere"])
    monkeypatch.setattr(files, "loaded", lambda: loaded)
    bad, twice = check_files()
    assert (bad.id, [made.type for made in loaded.definitions]) == ("pipelines.E001", ["good"])
    assert "bad.yaml: line 5: steps[0].kind" in bad.msg
    assert "another file has version '1'" in twice.msg


def test_a_function_that_is_registered_twice_is_refused() -> None:
    registry.pipeline_step("one")(test_a_version_is_stored_once)
    registry.pipeline_step("one")(test_a_version_is_stored_once)
    with pytest.raises(registry.RegistrationRefused):
        registry.pipeline_step("one")(test_a_harmless_override_is_taken)


def browser(*permissions: str) -> Client:
    user = User.objects.create_user("staff", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def test_the_admin_shows_each_problem_at_its_line_and_stores_what_is_right(own_pipelines: Use) -> None:
    own_pipelines()
    client = browser("view_pipelinedefinition", "add_pipelinedefinition")
    wrong = "type: mine\nversion: '1'\nsteps:\n  - id: a\n    promt: {user: x}\n  - id: b\n    kind: nope"
    page = client.post(ADD, {"source": wrong}).content.decode()
    assert "line 5: steps[0].promt: unknown key" in page
    assert "line 7: steps[1].kind" in page
    assert not PipelineDefinition.objects.exists()
    right = "type: mine\nversion: '1'\nsteps: [{id: a, kind: map, prompt: {user: <b>x</b>}}]"
    assert client.post(ADD, {"source": right}).status_code == 302
    row = PipelineDefinition.objects.get()
    assert (row.source, row.creator.username) == (right, "staff")
    shown = client.get(f"/admin/pipelines/pipelinedefinition/{row.pk}/change/")
    assert "&lt;b&gt;x&lt;/b&gt;" in shown.content.decode()
    assert "staff" in Audit.objects.get(action="pipeline.store").actor_name


def test_a_stored_version_is_neither_changed_nor_deleted_in_the_admin(own_pipelines: Use) -> None:
    own_pipelines()
    row = store(document())
    place = f"/admin/pipelines/pipelinedefinition/{row.pk}"
    client = browser(*(f"{one}_pipelinedefinition" for one in ("view", "add", "change", "delete")))
    assert client.post(f"{place}/change/", {"source": "x"}).status_code == 403
    assert client.post(f"{place}/delete/", {"post": "yes"}).status_code == 403
    assert browser_without().get(ADD).status_code == 403
    assert Client().get(ADD).status_code == 302


def browser_without() -> Client:
    client = Client()
    client.force_login(User.objects.create_user("other", is_staff=True))
    return client
