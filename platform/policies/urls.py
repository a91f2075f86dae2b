"""What the admin shows of policies beside its models."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.urls import URLPattern, path

from policies import views

app_name = "policies"


def _page(route: str, view: Callable[..., Any], name: str) -> URLPattern:
    return path(f"admin/policies/{route}", admin.site.admin_view(view), name=name)


urlpatterns = [
    _page("<uuid:source_id>/copy", views.policy_copy, "copy"),
    _page("<uuid:source_id>/document.json", views.policy_document, "document"),
    _page("<uuid:draft_id>/publish", views.policy_publish, "publish"),
    _page("<uuid:version_id>/roll-back", views.policy_roll_back, "roll_back"),
    _page("differences/", views.policy_differences, "differences"),
    _page("what-if/", views.policy_what_if, "what_if"),
    _page("what-if.csv", views.policy_what_if_csv, "what_if_csv"),
    _page("<uuid:draft_id>/shadow", views.policy_shadow_start, "shadow_start"),
    _page("shadows/<uuid:shadow_id>/", views.policy_shadow, "shadow"),
    _page("shadows/<uuid:shadow_id>/end", views.policy_shadow_end, "shadow_end"),
]
