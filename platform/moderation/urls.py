"""The pictures of the admin."""

from django.contrib import admin
from django.urls import path

from moderation.views import picture_preview, picture_raw

app_name = "moderation"

urlpatterns = [
    path(
        "admin/pictures/<uuid:picture_id>/preview",
        admin.site.admin_view(picture_preview),
        name="picture_preview",
    ),
    path(
        "admin/pictures/<uuid:picture_id>/raw",
        admin.site.admin_view(picture_raw),
        name="picture_raw",
    ),
]
