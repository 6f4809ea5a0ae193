"""Flows are stored once per version, pinned by runs with all that they call, and looked up by name."""

from pathlib import Path

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from flows.agents import catalogue, files
from flows.agents.checks import check_files
from flows.agents.errors import FlowExists, FlowNotFound, InvalidFlow
from flows.agents.models import FlowDefinition, Origin
from flows.agents.spec import Flow
from flows.agents.stored import pin, pin_all, pinned, store

pytestmark = pytest.mark.django_db

ADD = "/admin/agents/flowdefinition/add/"


def flow(name: str = "mine", version: str = "1", step: str = "persona: some one", more: str = "") -> str:
    return f"name: {name}\nversion: '{version}'\n{more}steps: [{{name: a, {step}}}]\n"


def test_versions_are_stored_once_and_the_newest_is_found() -> None:
    assert store(flow()).pk == store(flow()).pk
    store(flow(version="2"))
    assert [made.version for made in catalogue.versions("mine")] == ["1", "2"]
    assert (catalogue.find("mine").version, catalogue.find("mine", "1").version) == ("2", "1")
    assert "mine" in [made.name for made in catalogue.all_flows()]
    with pytest.raises(FlowExists, match="another document has this version"):
        store(flow(step="persona: some other"))


def test_an_unknown_flow_is_an_error_that_names_a_near_one() -> None:
    store(flow())
    with pytest.raises(FlowNotFound, match="Did you mean 'mine'"):
        catalogue.find("mina")
    with pytest.raises(FlowNotFound, match="in version '9'"):
        catalogue.find("mine", "9")
    with pytest.raises(FlowNotFound):
        pinned("0" * 64)


def test_nobody_takes_the_name_of_an_apps_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.yaml").write_text(flow())
    loaded = files.load_folders([tmp_path])
    monkeypatch.setattr(files, "loaded", lambda: loaded)
    with pytest.raises(FlowExists, match="an app brings this name as a file"):
        store(flow(version="2"))


def test_a_run_pins_its_flow_and_all_that_it_calls() -> None:
    callable_ = "subflow: {callable: true}\n"
    store(flow("leaf", more=callable_))
    store(flow("middle", step="parallel: [{name: b, call: leaf}]", more=callable_))
    top = Flow.model_validate(store(flow("top", step="call: middle")).document)
    pins = pin_all(top)
    assert sorted(pins) == ["leaf", "middle", "top"]
    store(flow("leaf", version="2", step="persona: some other", more=callable_))
    assert Flow.model_validate(pinned(pins["leaf"])).version == "1"
    assert pin(top) == pins["top"]


def test_a_flow_that_is_pinned_only_stands_in_no_catalogue() -> None:
    made = Flow.model_validate(store(flow()).document)
    pin(made.model_copy(update={"name": "other"}))
    assert [row.origin for row in FlowDefinition.objects.order_by("id")] == [Origin.STORED, Origin.FILE]
    with pytest.raises(FlowNotFound):
        catalogue.find("other")


def test_two_versions_of_one_flow_in_one_run_are_refused() -> None:
    for version in ("1", "2"):
        store(flow("leaf", version, step=f"persona: some {version}", more="subflow: {callable: true}\n"))
    both = "name: top\nsteps:\n  - {name: a, call: leaf, call_version: 1}\n  - {name: b, call: leaf, call_version: 2}\n"
    with pytest.raises(InvalidFlow, match="Call one version of a flow"):
        pin_all(Flow.model_validate(store(both).document))


def test_a_file_that_is_no_flow_is_a_system_check_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bad.yaml").write_text("name: bad\nsteps:\n  - name: a\n    persna: x y\n")
    (tmp_path / "good.yml").write_text(flow("good"))
    (tmp_path / "twice.json").write_text((tmp_path / "good.yml").read_text())
    (tmp_path / "note.txt").write_text("no flow")
    loaded = files.load_folders([tmp_path, tmp_path / "nowhere"])
    monkeypatch.setattr(files, "loaded", lambda: loaded)
    bad, twice = check_files()
    assert (bad.id, [made.name for made in loaded.flows]) == ("agents.E001", ["good"])
    assert "bad.yaml: line 4: step 'a': unknown key 'persna'" in bad.msg
    assert "another file has version '1'" in twice.msg


def test_the_admin_stores_a_flow_and_tells_of_each_problem_with_its_line(client: Client) -> None:
    user = User.objects.create_user("author", is_staff=True)
    user.user_permissions.add(*Permission.objects.filter(content_type__app_label="agents"))
    client.force_login(user)
    refused = client.post(ADD, {"source": flow(step="persona: some one, default: nowhere")})
    assert refused.status_code == 200
    assert "line 3: step &#x27;a&#x27;: there is no step &#x27;nowhere&#x27;" in refused.content.decode()
    assert not FlowDefinition.objects.exists()
    assert client.post(ADD, {"source": flow()}).status_code == 302
    row = FlowDefinition.objects.get()
    assert (row.name, row.creator) == ("mine", user)
    page = client.get(f"/admin/agents/flowdefinition/{row.pk}/change/").content.decode()
    assert "persona: some one" in page
    assert client.post(f"/admin/agents/flowdefinition/{row.pk}/change/", {"source": "x"}).status_code == 403
