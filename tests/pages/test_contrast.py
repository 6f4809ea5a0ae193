"""The colours of the pages, measured in both schemes as WCAG 2.2 measures them (AA)."""

import re
from pathlib import Path

import pytest

from perdure.dashboard import styleguide

CSS = (Path(styleguide.__file__).parent.parent / "static/dashboard/perdure.css").read_text()
SCHEMES = ("light", "dark")
STATUSES = ("queued", "running", "waiting", "paused", "completed", "failed", "cancelled")
GROUNDS = ("ground", "surface", "sunken", "raised")
TEXT, PART = 4.5, 3.0
TEXTS = [
    *((word, ground) for word in ("ink", "muted", "accent", "danger", *STATUSES) for ground in GROUNDS),
    *((status, f"{status}-soft") for status in STATUSES),
    *((word, f"{status}-soft") for word in ("ink", "muted") for status in STATUSES),
    *((f"code-{kind}", ground) for kind in ("keyword", "string", "number", "name", "comment") for ground in GROUNDS),
    *(("accent", "accent-soft"), ("ink", "accent-soft"), ("accent-ink", "accent"), ("danger-ink", "danger")),
    ("ground", "ink"),
]
"""Words on what stands behind them."""
PARTS = [
    *((part, ground) for part in ("focus", "line-strong", "accent", *STATUSES) for ground in GROUNDS),
    *(("focus", f"{status}-soft") for status in STATUSES),
]
"""Edges of fields, the ring of the focus, icons and bars."""


def tokens(scheme: str) -> dict[str, str]:
    """The colours of a scheme; the dark one states what differs from the light one."""
    blocks = re.findall(r":root \{(.*?)\n\s*\}", CSS, flags=re.DOTALL)
    light, dark = (dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block)) for block in blocks[:2])
    return light if scheme == "light" else {**light, **dark}


def luminance(colour: str) -> float:
    """Relative luminance. Source: https://www.w3.org/TR/WCAG22/#dfn-relative-luminance"""
    parts = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def too_weak(scheme: str, pairs: list[tuple[str, str]], least: float) -> list[str]:
    found = tokens(scheme)
    measured = ((front, behind, contrast(found[front], found[behind])) for front, behind in pairs)
    return [f"{front} on {behind}: {ratio:.2f}" for front, behind, ratio in measured if ratio < least]


def test_contrast_is_measured_as_the_standard_does() -> None:
    assert contrast("#000000", "#ffffff") == 21
    assert round(contrast("#777777", "#ffffff"), 2) == 4.48


@pytest.mark.parametrize("scheme", SCHEMES)
def test_words_stand_out_from_what_is_behind_them(scheme: str) -> None:
    assert too_weak(scheme, TEXTS, TEXT) == []


@pytest.mark.parametrize("scheme", SCHEMES)
def test_edges_of_fields_and_the_focus_stand_out(scheme: str) -> None:
    assert too_weak(scheme, PARTS, PART) == []


def test_both_schemes_name_the_same_colours() -> None:
    light, dark = re.findall(r":root \{(.*?)\n\s*\}", CSS, flags=re.DOTALL)[:2]
    names = [set(re.findall(r"--([a-z-]+): #", block)) for block in (light, dark)]
    assert names[0] == names[1]


def test_components_take_their_colours_from_the_tokens() -> None:
    components = CSS.split("*, *::before", 1)[1].split("@media print", 1)[0]
    assert re.findall(r"#[0-9a-f]{3,8}\b(?=[;\s,)])", components) == []
