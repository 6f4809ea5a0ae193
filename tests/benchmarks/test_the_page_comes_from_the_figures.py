import json
import re
from pathlib import Path

import pytest

from benchmarks import report
from benchmarks.environment import environment
from benchmarks.report import BEGIN, END, replaced
from benchmarks.rows import FLOOR, OURS, Row, at_most
from benchmarks.table import headlines, table

ROW = Row(
    "one step", "ms", {OURS: [3.0], FLOOR: [1.0]}, (at_most(2, FLOOR), at_most(5), at_most(1, "DBOS")), note="lone"
)


def test_a_row_shows_each_goal_with_its_result() -> None:
    line = table([ROW.as_data()]).splitlines()[-1]
    assert line == (
        "| one step (lone) | PostgreSQL | ms | 3 | floor 1 (3 ×) | ≤ 2 × floor<br>≤ 5<br>≤ 1 × DBOS"
        " | *missed*: 3 ×<br>met: 3<br>not measured |"
    )


def test_a_row_without_goals_and_others_has_dashes() -> None:
    assert table([Row("step", "ms", {OURS: [1.0]}).as_data()]).splitlines()[-1].endswith("| 1 | – | – | – |")


def test_readme_shows_what_ours_and_the_others_took() -> None:
    assert headlines([ROW.as_data()]).splitlines()[-1] == "| one step | PostgreSQL | 3 ms | floor 1 (3 ×) |"


def test_only_what_stands_between_the_marks_is_replaced() -> None:
    assert replaced(f"a\n{BEGIN}\nold\n{END}\nb", "new") == f"a\n{BEGIN}\nnew\n{END}\nb"


def test_a_page_whose_mark_is_missing_is_refused() -> None:
    with pytest.raises(ValueError, match="not enough values"):
        replaced(f"a\n{BEGIN}\nold", "new")


def test_kept_results_are_written_into_the_page_and_their_headlines_into_readme(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgresql_url: str
) -> None:
    for name, file in (("RESULTS", "."), ("PAGE", "page.md"), ("README", "readme.md")):
        monkeypatch.setattr(report, name, tmp_path / file)
    for file in ("page.md", "readme.md"):
        (tmp_path / file).write_text(f"top\n{BEGIN}\n{END}\nbottom\n")
    headline = Row("start", "ms", {OURS: [4.0]}, is_headline=True)
    kept = {"environment": environment(postgresql_url, ["dbos_program"]), "rows": [ROW.as_data(), headline.as_data()]}
    (tmp_path / "steps.json").write_text(json.dumps(kept))
    report.write_page(["steps", "never measured"])
    page, readme = (tmp_path / "page.md").read_text(), (tmp_path / "readme.md").read_text()
    assert "| one step (lone)" in page
    assert re.search(r"PostgreSQL: server_version .+, fsync (on|off), synchronous_commit (on|off)", page)
    assert "dbos==3.4.0" in page
    assert "| start | PostgreSQL | 4 ms | – |" in readme
    assert "one step" not in readme
    assert page.startswith("top\n")
    assert readme.endswith("bottom\n")
