"""What the admin shows beside its models: pictures, exports of decisions, and evaluations."""

from django.contrib import admin
from django.urls import path

from moderation.evaluation_pages import evaluation_picture, evaluation_report, evaluation_runs
from moderation.export_pages import decisions_export
from moderation.views import (
    picture_overlay,
    picture_preview,
    picture_raw,
    sent_overlay,
    sent_preview,
    sent_raw,
)

app_name = "moderation"

urlpatterns = [
    path(
        "admin/pictures/<uuid:picture_id>/preview",
        admin.site.admin_view(picture_preview),
        name="picture_preview",
    ),
    path(
        "admin/pictures/<uuid:picture_id>/overlay",
        admin.site.admin_view(picture_overlay),
        name="picture_overlay",
    ),
    path(
        "admin/pictures/<uuid:picture_id>/raw",
        admin.site.admin_view(picture_raw),
        name="picture_raw",
    ),
    *(
        path(
            f"admin/sent/<uuid:sent_id>/{name}",
            admin.site.admin_view(view),
            name=f"sent_{name}",
        )
        for name, view in (("preview", sent_preview), ("overlay", sent_overlay), ("raw", sent_raw))
    ),
    path(
        "admin/decisions/export/",
        admin.site.admin_view(decisions_export),
        name="decisions_export",
    ),
    path("admin/evaluations/", admin.site.admin_view(evaluation_runs), name="evaluation_runs"),
    path(
        "admin/evaluations/<slug:name>/",
        admin.site.admin_view(evaluation_report),
        name="evaluation_report",
    ),
    path(
        "admin/evaluations/<slug:name>/<str:file>",
        admin.site.admin_view(evaluation_picture),
        name="evaluation_picture",
    ),
]
