"""What every page of the admin is built from."""

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest

if TYPE_CHECKING:  # unfold carries no types; its classes behave as Django's
    from django.contrib import admin

    class ModelAdmin(admin.ModelAdmin[Any]): ...

    class TabularInline(admin.TabularInline[Any, Any]): ...

else:
    from unfold.admin import ModelAdmin, TabularInline

__all__ = ["ModelAdmin", "ReadOnlyAdmin", "ReadOnlyInline", "TabularInline"]


class _ReadOnly:
    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


class ReadOnlyAdmin(_ReadOnly, ModelAdmin):
    """A table that is looked at, never written by hand. Counting it whole is left out."""

    show_full_result_count = False
    actions: Any = None

    def get_fields(self, request: HttpRequest, obj: object = None) -> Any:
        """All fields, those that no form shows (times, ids) included."""
        if self.fields is not None:
            return self.fields
        return [field.name for field in self.opts.fields]

    def get_readonly_fields(self, request: HttpRequest, obj: object = None) -> Any:
        return self.get_fields(request, obj)


class ReadOnlyInline(_ReadOnly, TabularInline):
    """Rows beside their parent, likewise."""

    extra = 0
    can_delete = False
    show_change_link = True

    def get_readonly_fields(self, request: HttpRequest, obj: object = None) -> Any:
        return self.fields or ()
