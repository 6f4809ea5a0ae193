"""What README shows works as it stands."""

import re
from pathlib import Path

README = (Path(__file__).resolve().parent.parent.parent / "README.md").read_text()


def test_the_job_of_the_readme_runs_from_an_app_of_ones_own(install, tmp_path):
    app = tmp_path / "my_team"
    app.mkdir()
    (app / "__init__.py").touch()
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    (app / "jobs.py").write_text(code)
    perdure = install(PERDURE_APPS="my_team", PYTHONPATH=str(tmp_path)).start()
    run_id = perdure.start_run("confirm-order", {"number": 7, "notes": ["one", "two"]})
    run = perdure.wait_for_status(run_id, "completed", "failed")
    assert run["output"] == "Order 7 confirmed with 12 characters", run["error"]


def test_the_commands_of_the_readme_exist():
    makefile = (Path(__file__).resolve().parent.parent.parent / "Makefile").read_text()
    for target in re.findall(r"^make (\w+)$", README, re.MULTILINE):
        assert re.search(rf"^{target}:.*## ", makefile, re.MULTILINE), target
