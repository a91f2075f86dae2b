"""One colour per status, action and label, in lists and on pages alike."""

from collections.abc import Mapping
from typing import Final

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from jobs.states import JobStatus, PictureStatus, StageState
from moderation.models import DecisionAction

VARIANTS: Final[Mapping[str, str]] = {
    **dict.fromkeys([JobStatus.ALIGNING, JobStatus.GENERATING, JobStatus.SCRUTINISING], "info"),
    **dict.fromkeys([JobStatus.SUCCEEDED, PictureStatus.RELEASED], "success"),
    **dict.fromkeys([JobStatus.NEEDS_REVIEW, PictureStatus.IN_REVIEW], "warning"),
    **dict.fromkeys([JobStatus.BLOCKED, JobStatus.FAILED], "danger"),
    **dict.fromkeys([StageState.RUNNING, StageState.READY], "info"),
    StageState.DONE: "success",
    **dict.fromkeys([DecisionAction.ALLOW, DecisionAction.RELEASE], "success"),
    **dict.fromkeys([DecisionAction.REWRITE, DecisionAction.BLUR, DecisionAction.REPAINT], "info"),
    DecisionAction.REVIEW: "warning",
    DecisionAction.BLOCK: "danger",
    "K0": "success", "K1": "info", "K2": "warning", "K3": "danger", "A1": "primary",
    "pending": "info", "delivered": "success", "escalate": "warning",
    **dict.fromkeys([JobStatus.QUEUED, JobStatus.CANCELED], "default"),
    **dict.fromkeys([PictureStatus.QUARANTINED, PictureStatus.WITHDRAWN], "default"),
    **dict.fromkeys([StageState.WAITING, StageState.SKIPPED], "default"),
}  # fmt: skip
"""Variants of unfold's label, by value."""


def badge(value: str, text: str = "") -> SafeString:
    """One coloured label."""
    return render_to_string(
        "unfold/helpers/label.html",
        {"text": text or value.replace("_", " "), "variant": VARIANTS.get(value, "default")},
    )
