"""Who was here: sign-ins, failed ones, who is locked out, and the log of what people did in the
admin. Secrets of second factors are shown nowhere."""

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.http import HttpRequest
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from config.admin import ModelAdmin, ReadOnlyAdmin

admin.site.unregister([TOTPDevice, StaticDevice])

_WHO = ("username", "ip_address")


@admin.register(LogEntry)
class LogEntryAdmin(ReadOnlyAdmin):
    """The database refuses to change or delete these."""

    list_display = ("action_time", "user", "content_type", "about", "what")
    list_filter = ("action_flag", "content_type", ("user", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("user", "content_type")
    search_fields = ("object_id", "object_repr", "user__username")
    date_hierarchy = "action_time"
    ordering = ("-id",)

    @admin.display(description="about", ordering="object_repr")
    def about(self, entry: LogEntry) -> str:
        return entry.object_repr

    @admin.display(description="what was done")
    def what(self, entry: LogEntry) -> str:
        return entry.get_change_message()


@admin.register(AccessLog)
class AccessLogAdmin(ReadOnlyAdmin):
    list_display = ("attempt_time", *_WHO, "logout_time")
    fields = ("attempt_time", "logout_time", *_WHO, "user_agent", "path_info")
    search_fields = _WHO
    date_hierarchy = "attempt_time"
    ordering = ("-id",)


@admin.register(AccessFailureLog)
class AccessFailureLogAdmin(ReadOnlyAdmin):
    list_display = ("attempt_time", *_WHO, "locked_out")
    fields = ("attempt_time", *_WHO, "locked_out", "user_agent", "path_info")
    list_filter = ("locked_out",)
    search_fields = _WHO
    date_hierarchy = "attempt_time"
    ordering = ("-id",)


@admin.register(AccessAttempt)
class AccessAttemptAdmin(ModelAdmin):
    """Failures that count at present. Deleting one lets its person try again at once."""

    list_display = ("attempt_time", *_WHO, "failures_since_start")
    fields = readonly_fields = ("attempt_time", *_WHO, "failures_since_start", "user_agent")
    search_fields = _WHO
    ordering = ("-id",)

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False
