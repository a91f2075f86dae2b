"""Forms of the admin of webhooks."""

from typing import Any

from django import forms


class TimeRange(forms.Form):
    """From `since` on, before `until`; in UTC."""

    since = forms.DateTimeField(
        label="Since (UTC)", help_text="events from then on, as 2026-11-22 00:00"
    )
    until = forms.DateTimeField(
        label="Until (UTC)", required=False, help_text="events before that; empty: until now"
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and since >= until:
            raise forms.ValidationError("Since must be before until.")
        return cleaned
