"""The diff viewer: a unified diff by its files, in one column or side by side."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from django import template
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from perdure.dashboard.diffs import rows as diff_rows
from perdure.dashboard.diffs.files import DiffFile, read_diff
from perdure.dashboard.diffs.lines import diff_lines, spelt

register = template.Library()


@dataclass(frozen=True)
class ShownFile:
    """A file whose names hide nothing."""

    path: str
    old_path: str
    file: DiffFile


@register.inclusion_tag("dashboard/diffs/_diff.html")
def diff(text: str, label: str = "this change") -> dict[str, Any]:
    """`text` is a unified diff; one without files, such as a lone hunk, is shown line by line."""
    return _shown(text, label)


@register.inclusion_tag("dashboard/diffs/_diff.html")
def text_diff(text: str, label: str) -> dict[str, Any]:
    """The difference of two texts, made by `files.unified`: the names in it say nothing and are left out."""
    return _shown(text, label) | {"is_bare": True}


def _shown(text: str, label: str) -> dict[str, Any]:
    found = read_diff(text)
    key = "diff-" + sha256(f"{label}\n{text}".encode("utf-8", "replace")).hexdigest()[:10]
    files = [ShownFile(spelt(file.path), spelt(file.old_path), file) for file in found.files]
    return {"diff": found, "files": files, "text": text, "label": label, "key": key}


register.simple_tag(diff_rows.hunk_rows, name="diff_hunk")
register.simple_tag(diff_rows.heading_rows, name="diff_headings")


@register.simple_tag
def diff_plain(text: str) -> SafeString:
    """The lines of a diff that names no file."""
    return format_html_join("", '<span class="{}">{}\n</span>', ((line.look, line.text) for line in diff_lines(text)))
