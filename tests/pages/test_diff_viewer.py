"""The diff viewer: each line of a diff is seen, by its file, in one column or side by side."""

import difflib
from collections import Counter
from itertools import chain

from django.template import Context, Template
from hypothesis import given
from hypothesis import strategies as st

from perdure.dashboard.diffs.files import MAX_LINES, Block, Diff, read_diff, unified

LINES = st.lists(st.sampled_from(["", "a", "b", "-- c", "++ d", "@@ -1 +1 @@", "\\ no", " e"]), max_size=12)
TWO = """diff --git a/one.py b/one.py
old mode 100644
new mode 100755
--- a/one.py
+++ b/one.py
@@ -1,3 +1,3 @@ def one():
 first
-return 1
+return 2
 last
--- /dev/null
+++ b/two.py
@@ -0,0 +1 @@
+<script>
\\ No newline at end of file
"""


def lines_of(block: Block) -> list[str]:
    signs = {"same": " ", "add": "+", "remove": "-", "note": ""}
    return [signs[line.look] + line.text for line in (*block.same, *block.removed, *block.added)]


def all_lines(diff: Diff) -> list[str]:
    """Every line that the viewer shows, in its order."""
    found: list[str] = []
    for file in diff.files:
        found += file.headings
        for hunk in file.hunks:
            found += [hunk.heading, *chain.from_iterable(map(lines_of, hunk.blocks))]
    return [*found, *diff.rest]


def shown(text: str) -> str:
    return Template("{% load diff_viewer %}{% diff text 'the change' %}").render(Context({"text": text}))


@given(old=LINES, new=LINES)
def test_a_diff_of_two_texts_is_shown_in_its_order_and_gives_both_back(old: list[str], new: list[str]) -> None:
    text = "\n".join(difflib.unified_diff(old, new, "a/x", "b/x", lineterm="", n=99))
    diff = read_diff(text)
    if old == new:
        assert diff.files == ()
        return
    assert all_lines(diff) == text.split("\n")
    blocks = [block for hunk in diff.files[0].hunks for block in hunk.blocks]
    assert [line.text for block in blocks for line in (*block.same, *block.removed)] == old
    assert [line.text for block in blocks for line in (*block.same, *block.added)] == new
    numbers = [line.new for block in blocks for line in (*block.same, *block.added)]
    assert numbers == list(range(1, len(new) + 1))


@given(
    st.lists(
        st.sampled_from(["--- a", "+++ b", "@@ -1,2 +1,2 @@", "@@ -1 +1 @@", "-x", "+x", " x", "\\ no", "junk", ""]),
        max_size=25,
    )
)
def test_no_line_of_whatever_text_goes_unseen(lines: list[str]) -> None:
    text = "\n".join(lines)
    assert Counter(all_lines(read_diff(text))) == Counter(text.removesuffix("\n").split("\n"))


def test_files_say_what_became_of_them_and_how_much_changed() -> None:
    one, two = read_diff(TWO).files
    assert (one.path, one.change, one.added, one.removed) == ("one.py", "changed", 1, 1)
    assert (two.path, two.change, two.added, two.removed) == ("two.py", "added", 1, 0)
    assert one.headings[:3] == ("diff --git a/one.py b/one.py", "old mode 100644", "new mode 100755")


def test_a_changed_line_is_marked_where_it_differs() -> None:
    (block,) = [block for block in read_diff(TWO).files[0].hunks[0].blocks if block.removed]
    assert block.removed[0].marked == block.added[0].marked == (7, 8)
    (changed,) = read_diff("--- a\n+++ b\n@@ -1 +1 @@\n-the leases grow\n+the events grow\n").files[0].hunks[0].blocks
    assert changed.added[0].marked == (4, 10), "words are marked whole"


def test_the_page_names_each_file_numbers_each_line_and_runs_nothing() -> None:
    page = shown(TWO)
    assert "2 files:" in page
    assert page.count("<details") == 2
    assert '<span class="remove" data-old="2">-return <mark>1</mark>\n</span>' in page
    assert '<span class="add" data-new="2">+return <mark>2</mark>\n</span>' in page
    assert "new mode 100755" in page
    assert "<script>" not in page


def test_signs_that_nobody_sees_are_spelt_in_names_and_lines() -> None:
    page = shown("--- a/x\u202e.py\n+++ b/x\u202e.py\n@@ -1 +1 @@\n-a\u200bb\n+ab\n")
    before = page.split('-text" hidden')[0]
    assert "x\\u202e.py" in before
    assert "a<mark>\\u200b</mark>b" not in before
    assert ">-<mark>" not in before
    assert "a\\u200bb" in before
    assert "\u202e" not in before


def test_a_long_diff_says_how_much_is_left_out() -> None:
    text = "--- a\n+++ b\n@@ -1,9999 +0,0 @@\n" + "-x\n" * MAX_LINES
    assert read_diff(text).left_out == 3
    assert "3 more lines" in shown(text)


def test_a_lone_hunk_is_shown_line_by_line() -> None:
    assert '<span class="add">+b\n</span>' in shown("-a\n+b\n")


def test_texts_too_long_to_be_matched_give_no_diff() -> None:
    assert unified("a", "a") == ""
    assert "+b" in (unified("a", "b") or "")
    assert unified("a\n" * 3001, "b") is None
