"""The pages of the desk: what waits, the item at hand, and what is done with it."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts.acts import act_log
from accounts.models import User
from desk.agreement import agreement_rows
from desk.choosing import ChoiceError, choice_make, choice_undo, choices_likewise
from desk.forms import ChoiceForm, SettingsForm
from desk.models import Choice, ReviewItem, Verdict, review_permission
from desk.pages import home_context, item_context
from desk.reviewers import settings_of
from desk.second_looks import golden_add
from desk.taking import TakingError, item_escalate, item_hand_back, item_open, item_take


def _for(*permissions: str) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """For people with all these permissions; the view gets the person. Nothing is cached."""

    def guard(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def guarded(request: HttpRequest, **of: Any) -> HttpResponse:
            user = request.user
            if not isinstance(user, User) or not user.has_perms(permissions):
                raise PermissionDenied
            response = view(request, user, **of)
            response["Cache-Control"] = "no-store"
            return response

        return guarded

    return guard


_reader = _for("desk.view_reviewitem")
_reviewer = _for("desk.view_reviewitem", "moderation.decide")
_lead = _for("desk.view_reviewitem", "moderation.decide", "desk.lead")


@require_safe
@_reader
def home(request: HttpRequest, user: User) -> HttpResponse:
    """What waits, by queue, and the person's own settings."""
    return _page(request, "desk/home.html", home_context(user))


@require_safe
@_reader
def item_page(request: HttpRequest, user: User, item_id: UUID) -> HttpResponse:
    """All that is known of an item, with the buttons where the person holds it. Who may see what
    others chose may read the items of every queue."""
    item = _found(user, item_id, of_all=user.has_perm("desk.view_choice"))
    return _page(request, "desk/item.html", item_context(item, user))


@require_POST
@_reviewer
def take(request: HttpRequest, user: User) -> HttpResponse:
    """Take the next item."""
    return _next(request, user)


@require_POST
@_reviewer
def open_item(request: HttpRequest, user: User, item_id: UUID) -> HttpResponse:
    """Take this very item."""
    item = _found(user, item_id)
    _tried(request, lambda: item_open(item_id=item.pk, user=user))
    return _to(item.pk)


@require_POST
@_reviewer
def decide(request: HttpRequest, user: User, item_id: UUID) -> HttpResponse:
    """Choose, then on to the next item; what was typed stays on the page where that fails."""
    item, form = _found(user, item_id), ChoiceForm(request.POST)
    if not form.is_valid():
        messages.error(request, form.problem)
    elif _tried(request, lambda: _choose(request, user, item, form.cleaned_data)):
        return _next(request, user)
    context = item_context(_found(user, item_id), user) | {"typed": form.typed()}
    return _page(request, "desk/item.html", context, status=409)


def _choose(request: HttpRequest, user: User, item: ReviewItem, sent: dict[str, Any]) -> None:
    verdict, explanation = Verdict(sent["verdict"]), sent["explanation"]
    if verdict is Verdict.ESCALATE:
        item_escalate(item_id=item.pk, user=user, explanation=explanation)
        return
    painted = item.picture is not None and item.picture.current_id is not None
    if painted and sent["shown"] is None:
        raise ChoiceError("What you were shown is not told: load the page again.")
    choice = choice_make(
        item_id=item.pk,
        user=user,
        verdict=verdict,
        explanation=explanation,
        region=sent["region"],
        prompt=sent["prompt"],
        shown=sent["shown"],
    )
    likewise = choices_likewise(choice, [other.pk for other in sent["likewise"]])
    if likewise:
        messages.success(request, f"{len(likewise)} near-identical decided likewise.")


@require_POST
@_reviewer
def hand_back(request: HttpRequest, user: User, item_id: UUID) -> HttpResponse:
    """Let somebody else take the item."""
    item = _found(user, item_id)
    if _tried(request, lambda: item_hand_back(item_id=item.pk, user=user)):
        messages.success(request, "Handed back: somebody else takes it.")
        return HttpResponseRedirect(reverse("desk:home"))
    return _to(item.pk)


@require_POST
@_reviewer
def undo(request: HttpRequest, user: User, choice_id: UUID) -> HttpResponse:
    """Take a choice of one's own back."""
    choice = Choice.objects.filter(pk=choice_id, user=user).first()
    if choice is None:
        raise Http404
    if _tried(request, lambda: choice_undo(choice_id=choice.pk, user=user)):
        messages.success(request, "Taken back: nothing was done, you hold it again.")
    return _to(choice.item_id)


@require_POST
@_lead
def golden(request: HttpRequest, user: User, item_id: UUID) -> HttpResponse:
    """Put a decided picture into the queue again, as a golden item."""
    item = _found(user, item_id)
    if _tried(request, lambda: golden_add(item_id=item.pk)):
        act_log(
            by=user, of=ReviewItem, about=f"picture {item.picture_id}",
            message="Put into the queue again, as a golden item.",
        )  # fmt: skip
        messages.success(request, "It waits in the queue again, as a golden item.")
    return _to(item.pk)


@require_safe
@_for("desk.lead")
def agreement(request: HttpRequest, user: User) -> HttpResponse:
    """How far people agree with each other, and with known answers."""
    context = {"title": "Agreement", "rows": agreement_rows()}
    return _page(request, "desk/agreement.html", context)


@require_POST
@_reviewer
def settings_save(request: HttpRequest, user: User) -> HttpResponse:
    """The person's own settings."""
    form = SettingsForm(request.POST, instance=settings_of(user))
    if form.is_valid():
        form.save()
        messages.success(request, "Saved.")
    else:
        messages.error(request, str(next(iter(form.errors.values()))[0]))
    return HttpResponseRedirect(reverse("desk:home"))


def _found(user: User, item_id: UUID, *, of_all: bool = False) -> ReviewItem:
    """The item; 404 where there is none in the person's queues, or in all of them."""
    item = (
        ReviewItem.objects.select_related(
            "job__policy_version__policy", "job__tenant", "tenant", "holder", "closed_by",
            "picture__current", "picture__job__policy_version", "appeal__decision",
        )
        .filter(pk=item_id)
        .first()
    )  # fmt: skip
    if item is None or not (of_all or user.has_perm(f"desk.{review_permission(item.category)}")):
        raise Http404
    return item


def _tried(request: HttpRequest, act: Callable[[], object]) -> bool:
    try:
        act()
    except TakingError as error:
        messages.error(request, f"{error} Nothing was changed.")
        return False
    return True


def _next(request: HttpRequest, user: User) -> HttpResponse:
    item = item_take(user=user)
    if item is None:
        messages.info(request, "Nothing waits in your queues.")
        return HttpResponseRedirect(reverse("desk:home"))
    return _to(item.pk)


def _to(item_id: UUID) -> HttpResponse:
    return HttpResponseRedirect(reverse("desk:item", args=[item_id]))


def _page(
    request: HttpRequest, template: str, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    return render(request, template, admin.site.each_context(request) | context, status=status)
