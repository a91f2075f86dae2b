"""The admin of reports: what platforms say of pictures that are out."""

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from config.admin import ReadOnlyAdmin
from moderation.appeal_admin import OpenFilter
from moderation.models import Report


@admin.register(Report)
class ReportAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "reason", "tenant", "shown_picture", "text")
    list_filter = (OpenFilter, "reason")
    list_select_related = ("tenant", "picture")
    ordering = ("-id",)

    @admin.display(description="picture")
    def shown_picture(self, report: Report) -> SafeString:
        return format_html(
            '<a href="{}">picture {} of job <code>…{}</code></a>',
            reverse("admin:jobs_picture_change", args=[report.picture_id]),
            report.picture.index,
            str(report.picture.job_id)[-8:],
        )
