"""The queue as a list, and the head start of tenants."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

from config.admin import ModelAdmin, ReadOnlyAdmin
from desk.models import Choice, ReviewerSettings, ReviewItem, TenantWeight


class OpenFilter(admin.SimpleListFilter):
    title = "open"
    parameter_name = "open"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "waiting for a decision")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(closed_at=None) if self.value() else queryset


@admin.register(ReviewItem)
class ReviewItemAdmin(ReadOnlyAdmin):
    list_display = ("kind", "category", "severity", "reason", "tenant", "due_at", "holder")
    list_filter = (OpenFilter, "category", "kind", "for_lead")
    list_select_related = ("tenant", "holder")
    search_fields = ("id__icontains", "job__id__icontains")

    def view_on_site(self, item: ReviewItem) -> str:
        """Its page at the desk."""
        return reverse("desk:item", args=[item.pk])


@admin.register(TenantWeight)
class TenantWeightAdmin(ModelAdmin):
    list_display = ("tenant", "minutes")
    list_select_related = ("tenant",)


@admin.register(ReviewerSettings)
class ReviewerSettingsAdmin(ReadOnlyAdmin):
    list_display = ("user", "left_out")
    list_select_related = ("user",)


@admin.register(Choice)
class ChoiceAdmin(ReadOnlyAdmin):
    list_display = ("chosen_at", "user", "verdict", "item", "seconds", "undone_at", "settled_at")
    list_filter = ("verdict", ("user", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("user", "item")
    search_fields = ("user__username", "explanation")
    ordering = ("-id",)
