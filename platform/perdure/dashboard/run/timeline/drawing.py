"""Lanes as rows of the page, written without the cost of an included template for each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from perdure.dashboard.run.rows import duration_text
from perdure.dashboard.run.timeline.arrange import RUN, Arranged, Lane
from perdure.dashboard.run.timeline.parts import Part, PartKind
from perdure.dashboard.run.timeline.scale import WIDTH, Scale

WORDS = {
    PartKind.QUEUED: "queued", PartKind.WORKING: "worked", PartKind.WAITING: "waited",
    PartKind.RETRYING: "waited for another attempt", PartKind.PAUSED: "paused", PartKind.STOPPED: "stopped",
}  # fmt: skip
TICKS, NARROWEST = 5, 0.1
_ROW = (
    '<li class="lane" data-depth="{depth}" data-status="{status}"><a class="lane-name" href="{href}"{step}>'
    '<svg class="icon" aria-hidden="true"><use href="#icon-{icon}"/></svg><span class="lane-title">{title}</span>'
    '<span class="visually-hidden lane-told">{told}</span></a>'
    '<svg class="lane-bars" aria-hidden="true">{bars}</svg><span class="lane-took">{took}</span></li>'
)
_BAR = '<rect class="part {}" data-outcome="{}" x="{}%" width="{}%" y="20%" height="60%"{}><title>{}</title></rect>'
_FOLD = '<rect class="fold" x="{}%" width="{}%" y="0" height="100%"/>'


@dataclass(frozen=True, slots=True)
class Window:
    """The stretch of the scale that is shown, from 0 to WIDTH."""

    left: float = 0.0
    right: float = WIDTH

    @property
    def is_whole(self) -> bool:
        return (self.left, self.right) == (0.0, WIDTH)

    @property
    def address(self) -> str:
        return f"{self.left:g}-{self.right:g}"

    def zoomed(self, factor: float) -> "Window":
        """The same middle, `factor` times as wide, inside the scale."""
        wide = min(max((self.right - self.left) * factor, NARROWEST), WIDTH)
        left = min(max((self.left + self.right - wide) / 2, 0), WIDTH - wide)
        return Window(round(left, 3), round(left + wide, 3))

    def percent(self, place: float) -> float:
        """Of the window's width, not outside it."""
        return min(max((place - self.left) / (self.right - self.left) * 100, 0), 100)

    def holds(self, start: float, end: float) -> bool:
        return end >= self.left and start <= self.right


@dataclass(frozen=True)
class Chart:
    """A run's lanes on a scale, seen through a window."""

    arranged: Arranged
    scale: Scale
    window: Window

    @property
    def lanes(self) -> list[Lane]:
        """Those with something in the window, and every run's own."""
        if self.window.is_whole:
            return self.arranged.lanes
        return [lane for lane in self.arranged.lanes if lane.kind == RUN or self._is_seen(lane)]

    def _is_seen(self, lane: Lane) -> bool:
        return bool(lane.parts) and self.window.holds(self.scale.place(lane.start), self.scale.place(lane.end))

    @property
    def folded(self) -> list[str]:
        """How long each folded stretch is."""
        return [duration_text((one.end - one.start) / 1000) for one in self.scale.segments if one.is_folded]

    def ticks(self) -> list[tuple[float, str]]:
        """(percent, time since the run's beginning)."""
        wide = self.window.right - self.window.left
        places = [self.window.left + wide * number / TICKS for number in range(TICKS)]
        return [(self.window.percent(one), duration_text(self.scale.moment(one) / 1000)) for one in places]

    def row(self, lane: Lane) -> SafeString:
        shown = self.arranged.lanes[0].run
        opens = lane.kind != RUN and lane.run == shown
        return format_html(
            _ROW, depth=lane.depth, status=lane.status, icon=lane.status, title=lane.title, told=told(lane),
            href=_address(lane, shown), step=format_html(' data-step="{}"', lane.title) if opens else NOTHING,
            bars=self._bars(lane), took=took(lane),
        )  # fmt: skip

    def _bars(self, lane: Lane) -> SafeString:
        folds = [
            (f"{self.window.percent(one.left):.3f}", f"{self._wide(one.left, one.right):.3f}")
            for one in self.scale.segments
            if one.is_folded and self.window.holds(one.left, one.right)
        ]
        return format_html("{}{}", format_html_join("", _FOLD, folds), format_html_join("", _BAR, self._parts(lane)))

    def _parts(self, lane: Lane) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = []
        for part in lane.parts:
            left, right = self.scale.place(part.start), self.scale.place(part.end)
            if self.window.holds(left, right):
                x, wide = self.window.percent(left), self._wide(left, right)
                found.append((part.kind, part.outcome, f"{x:.3f}", f"{wide:.3f}", _fill(part.kind), words_of(part)))
        return found

    def _wide(self, left: float, right: float) -> float:
        return self.window.percent(right) - self.window.percent(left)


NOTHING = SafeString("")
EMPTY_ROW = format_html(
    _ROW, depth="", status="", icon="queued", title="", told="", href="", step=NOTHING, bars=NOTHING, took=""
)
"""The row that the page's script fills."""


def told(lane: Lane) -> str:
    """A lane in words, for those who do not see its bars."""
    spent = [f"{WORDS[kind]} {duration_text(lane.spent(kind) / 1000)}" for kind in PartKind if lane.spent(kind)]
    tries = [f"{lane.attempts} attempts"] if lane.attempts > 1 else []
    return ", ".join([lane.status, *spent, *tries])


def took(lane: Lane) -> str:
    return duration_text((lane.end - lane.start) / 1000) if lane.parts else ""


def words_of(part: Part) -> str:
    """A bar in words."""
    attempt = f"attempt {part.attempt} " if part.attempt else ""
    outcome = f" ({part.outcome})" if part.outcome and part.outcome != "open" else ""
    return f"{attempt}{WORDS[part.kind]} {duration_text(part.length / 1000)}{outcome}"


def as_rows(arranged: Arranged) -> list[list[Any]]:
    """Lanes for the page's script: [title, kind, status, attempts, depth, run, parts], parts as they are told."""
    return [
        [lane.title, lane.kind, lane.status, lane.attempts, lane.depth, lane.run,
         [[part.kind, part.start, part.end, part.attempt, part.outcome] for part in lane.parts]]
        for lane in arranged.lanes
    ]  # fmt: skip


def segments_of(scale: Scale) -> list[Sequence[Any]]:
    """[start, end, left, right, folded]"""
    return [[one.start, one.end, one.left, one.right, one.is_folded] for one in scale.segments]


def _address(lane: Lane, shown: str) -> str:
    if lane.kind == RUN:
        return reverse("dashboard:run" if lane.run == shown else "dashboard:run-timeline", args=[lane.run])
    return f"{reverse('dashboard:run-timeline', args=[lane.run])}?step={quote(lane.title, safe='')}"


def _fill(kind: PartKind) -> SafeString:
    # A pattern is found in its own document only, so not by a rule of the stylesheet.
    patterned = kind in (PartKind.WAITING, PartKind.RETRYING, PartKind.PAUSED)
    return mark_safe(f' fill="url(#fill-{kind})"') if patterned else NOTHING
