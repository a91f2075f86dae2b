"""Endpoints, what they were told and how that went. A new secret is shown once, old ones never."""

from datetime import timedelta
from typing import Any, Final

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString

from config.admin import ReadOnlyAdmin, ReadOnlyInline
from moderation.badges import badge
from webhooks.endpoints import endpoint_disable, endpoint_enable, endpoint_rotate, endpoint_test
from webhooks.errors import EndpointInactive, TooManyEndpoints
from webhooks.forms import TimeRange
from webhooks.models import Delivery, DeliveryAttempt, Endpoint, Event
from webhooks.redelivery import deliveries_replay, endpoint_replay

OVERLAP: Final = timedelta(days=1)
"""How long the old secret signs beside the new one."""


@admin.register(Endpoint)
class EndpointAdmin(ReadOnlyAdmin):
    list_display = ("url", "tenant", "state", "wants", "failing_since", "created_at")
    list_filter = ("is_active", "tenant")
    list_select_related = ("tenant",)
    search_fields = ("url", "description", "tenant__name")
    fields = (
        "tenant", "url", "description", "event_types", "is_active", "disabled_reason",
        "failing_since", "previous_secret_ends_at", "created_at",
    )  # fmt: skip
    actions = ("activate", "deactivate", "rotate", "send_test", "replay_failed", "replay_range")

    def has_operate_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("webhooks.change_endpoint")

    @admin.action(description="Activate: send events again", permissions=["operate"])
    def activate(self, request: HttpRequest, queryset: QuerySet[Endpoint]) -> None:
        activated = 0
        for endpoint in queryset.filter(is_active=False):
            try:
                endpoint_enable(endpoint=endpoint)
            except TooManyEndpoints as error:
                messages.error(request, f"{endpoint} stays inactive: {error}.")
            else:
                self.log_change(request, endpoint, "Activated.")
                activated += 1
        messages.success(request, f"{activated} activated.")

    @admin.action(description="Deactivate: send nothing more", permissions=["operate"])
    def deactivate(self, request: HttpRequest, queryset: QuerySet[Endpoint]) -> None:
        endpoints = list(queryset.filter(is_active=True))
        for endpoint in endpoints:
            endpoint_disable(endpoint=endpoint, reason="deactivated by an operator")
            self.log_change(request, endpoint, "Deactivated.")
        messages.success(request, f"{len(endpoints)} deactivated.")

    @admin.action(
        description="Rotate one: a new secret, the old one signs too for a day",
        permissions=["operate"],
    )
    def rotate(self, request: HttpRequest, queryset: QuerySet[Endpoint]) -> HttpResponse | None:
        if queryset.count() != 1:
            messages.error(request, "Choose one endpoint: its new secret is shown once.")
            return None
        endpoint = queryset.get()
        endpoint_rotate(endpoint=endpoint, overlap=OVERLAP)
        self.log_change(request, endpoint, "Secret rotated.")
        response = self._page(request, "secret_shown", "A new secret", endpoint=endpoint)
        response["Cache-Control"] = "no-store"
        return response

    @admin.action(description="Send a test event", permissions=["operate"])
    def send_test(self, request: HttpRequest, queryset: QuerySet[Endpoint]) -> None:
        for endpoint in queryset:
            try:
                delivery = endpoint_test(endpoint=endpoint)
            except EndpointInactive as error:
                messages.error(request, f"Not sent: {error}.")
            else:
                self.log_change(request, endpoint, "Test event sent.")
                messages.success(request, f"{endpoint}: test {delivery.event_id} on its way.")

    @admin.action(description="Send again whatever failed", permissions=["operate"])
    def replay_failed(self, request: HttpRequest, queryset: QuerySet[Endpoint]) -> None:
        for endpoint in queryset:
            self._replay(request, endpoint, "failed deliveries", only_failed=True)

    @admin.action(description="Send again the events of a time range", permissions=["operate"])
    def replay_range(
        self, request: HttpRequest, queryset: QuerySet[Endpoint]
    ) -> HttpResponse | None:
        form = TimeRange(request.POST if "apply" in request.POST else None)
        if not form.is_valid():
            return self._page(
                request, "replay_range", "Send again", form=form, endpoints=list(queryset)
            )
        since, until = form.cleaned_data["since"], form.cleaned_data["until"]
        for endpoint in queryset:
            self._replay(request, endpoint, "events of a time range", since=since, until=until)
        return None

    def _replay(self, request: HttpRequest, endpoint: Endpoint, what: str, **chosen: Any) -> None:
        try:
            sent = endpoint_replay(endpoint=endpoint, **chosen)
        except EndpointInactive as error:
            messages.error(request, f"Not sent: {error}.")
        else:
            self.log_change(request, endpoint, f"{sent} {what} sent again.")
            messages.success(request, f"{endpoint}: {sent} on the way again.")

    def _page(
        self, request: HttpRequest, template: str, title: str, **context: Any
    ) -> TemplateResponse:
        context |= self.admin_site.each_context(request) | {"title": title, "opts": self.opts}
        return TemplateResponse(request, f"webhooks/admin/{template}.html", context)

    @admin.display(description="state", ordering="is_active")
    def state(self, endpoint: Endpoint) -> SafeString:
        if endpoint.is_active:
            return badge("succeeded", "active")
        return badge("canceled", endpoint.disabled_reason or "inactive")

    @admin.display(description="wants")
    def wants(self, endpoint: Endpoint) -> str:
        return ", ".join(endpoint.event_types) or "every event"


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    list_display = ("type", "sequence", "job_id", "tenant", "created_at")
    list_filter = ("type", "tenant")
    list_select_related = ("tenant",)
    search_fields = ("id__icontains", "job__id__icontains")
    date_hierarchy = "created_at"
    ordering = ("-id",)


class AttemptInline(ReadOnlyInline):
    model = DeliveryAttempt
    fields = ("number", "started_at", "duration", "status_code", "error", "answer")
    ordering = ("number",)
    verbose_name_plural = "attempts"
    show_change_link = False


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = ("event_type", "endpoint", "shown_status", "attempts", "next_attempt_at")
    list_filter = ("status", "endpoint__tenant")
    list_select_related = ("event", "endpoint")
    search_fields = ("event__id__icontains", "event__job__id__icontains", "endpoint__url")
    date_hierarchy = "event__created_at"
    fields = ("event", "endpoint", "status", "attempts", "next_attempt_at", "delivered_at")
    inlines = (AttemptInline,)
    ordering = ("-id",)
    actions = ("send_again",)

    def has_send_again_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("webhooks.change_delivery")

    @admin.action(description="Send again, now", permissions=["send_again"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        inactive = queryset.filter(endpoint__is_active=False).count()
        chosen = list(queryset.filter(endpoint__is_active=True))
        sent = deliveries_replay(deliveries=queryset)
        for delivery in chosen:
            self.log_change(request, delivery, "Sent again.")
        if inactive:
            messages.error(request, f"{inactive} not sent: the endpoint is not active.")
        messages.success(request, f"{sent} on the way again.")

    @admin.display(description="event", ordering="event__type")
    def event_type(self, delivery: Delivery) -> str:
        return delivery.event.type

    @admin.display(description="status", ordering="status")
    def shown_status(self, delivery: Delivery) -> SafeString:
        return badge(delivery.status)
