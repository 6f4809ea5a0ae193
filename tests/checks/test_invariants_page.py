"""docs/reference/invariants.md names each invariant, and no other; what it says is mended is what workers mend."""

import re
from pathlib import Path

from runs.maintenance.invariants import INVARIANTS

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "reference" / "invariants.md"

BY_NORMAL_WORK = {"left_by_the_dead", "parent_not_told", "child_outlives_cancel", "end_hook_not_called"}


def test_the_page_has_a_line_for_each_invariant() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| ?(.*?) ?\|$", PAGE.read_text(), re.MULTILINE)
    assert {name for name, _, _ in rows} == set(INVARIANTS)
    mended = {name for name, _, how in rows if how}
    assert mended == {name for name, one in INVARIANTS.items() if one.mend is not None} | BY_NORMAL_WORK
