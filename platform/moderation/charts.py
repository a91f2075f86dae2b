"""Trends for Chart.js, which unfold brings: lines are told apart by dash and mark, not by colour.

unfold's script draws every canvas of the class `chart` from its data attributes.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from moderation.overview import Overview, Trend

_STYLES: Final[Sequence[Mapping[str, Any]]] = (
    {"borderColor": "#15803d", "borderDash": [], "pointStyle": "circle"},
    {"borderColor": "#b45309", "borderDash": [8, 4], "pointStyle": "triangle"},
    {"borderColor": "#b91c1c", "borderDash": [2, 3], "pointStyle": "rect"},
    {"borderColor": "#7c3aed", "borderDash": [10, 3, 2, 3], "pointStyle": "rectRot"},
    {"borderColor": "#0369a1", "borderDash": [4, 2], "pointStyle": "star"},
)
_GREY: Final = "#6b7280"
_OPTIONS: Final = json.dumps(
    {
        "responsive": True,
        "maintainAspectRatio": False,
        "animation": False,
        "interaction": {"mode": "index", "intersect": False},
        "plugins": {
            "legend": {
                "position": "bottom",
                "align": "start",
                "labels": {"usePointStyle": True, "color": _GREY, "padding": 16},
            }
        },
        "scales": {
            "x": {"grid": {"display": False}, "ticks": {"color": _GREY, "maxRotation": 0}},
            "y": {"beginAtZero": True, "grid": {}, "ticks": {"color": _GREY, "precision": 0}},
        },
    }
)
_BAR_OPTIONS: Final = json.dumps(
    {
        "indexAxis": "y",
        "responsive": True,
        "maintainAspectRatio": False,
        "animation": False,
        "plugins": {"legend": {"position": "bottom", "align": "start", "labels": {"color": _GREY}}},
        "scales": {
            "x": {"beginAtZero": True, "grid": {}, "ticks": {"color": _GREY}},
            "y": {"grid": {"display": False}, "ticks": {"color": _GREY, "autoSkip": False}},
        },
    }
)


@dataclass(frozen=True, slots=True)
class Chart:
    """A trend with what its canvas needs."""

    trend: Trend
    data: str
    options: str
    summary: str


@dataclass(frozen=True, slots=True)
class Bars:
    """One number per name, as bars; what its canvas needs."""

    data: str
    options: str
    summary: str


@dataclass(frozen=True, slots=True)
class ChartedOverview:
    """An overview with its trends as charts; ages of queues in hours, decisions per reviewer."""

    read: Overview
    charts: Sequence[Chart]
    ages: Bars
    load: Bars


def charted(read: Overview) -> ChartedOverview:
    """The overview's trends as charts, in the order of the page."""
    trends = (read.throughput, read.outcomes, read.labels, read.heads, read.deliveries)
    ages = {
        queue.title: (read.read_at - queue.since).total_seconds() / 3600 if queue.since else 0.0
        for queue in read.waiting
    }
    load = {reviewer.name: float(reviewer.decisions) for reviewer in read.reviewers}
    return ChartedOverview(
        read,
        [_chart(trend) for trend in trends],
        ages=_bars("Hours that the oldest waits", ages),
        load=_bars("Decisions", load),
    )


def _bars(title: str, values: Mapping[str, float]) -> Bars:
    """Lying bars of one series: names and lengths tell all, no colour does."""
    shown = {name: round(value, 1) for name, value in values.items()}
    series = {"label": title, "data": list(shown.values()), "backgroundColor": "#0369a1"}
    told = ", ".join(f"{name} {value:g}" for name, value in shown.items())
    return Bars(
        json.dumps({"labels": list(shown), "datasets": [series]}),
        _BAR_OPTIONS,
        f"{title}: {told or 'nobody'}",
    )


def _chart(trend: Trend) -> Chart:
    lines = [
        {
            "label": series.name,
            "data": list(series.values),
            "borderWidth": 2,
            "pointRadius": 4,
            "backgroundColor": style["borderColor"],
            **style,
        }
        for series, style in zip(trend.series, _STYLES, strict=False)
    ]
    days = [f"{day:%d %b}" for day in trend.days]
    totals = ", ".join(f"{series.name} {series.total}" for series in trend.series)
    summary = f"{trend.title}, {trend.note}, {len(days)} days: {totals}"
    return Chart(trend, json.dumps({"labels": days, "datasets": lines}), _OPTIONS, summary)
