"""Pictures inside the admin. All views stream through this process: nothing is presigned."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django import forms
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from desk.reviewers import settings_of
from jobs.models import Picture, PictureVersion, SentPicture
from jobs.storage import StorageError
from moderation.previews import (
    PictureUnreadable,
    change_overlay_read,
    changed_from,
    mask_overlay_read,
    preview_read,
    sent_preview_read,
    version_of,
)
from moderation.raw_views import raw_picture_read, raw_sent_read


class _Version(forms.Form):
    version = forms.UUIDField(required=False)


@require_safe
@permission_required("jobs.view_picture", raise_exception=True)
def picture_preview(request: HttpRequest, picture_id: UUID) -> HttpResponse:
    """A released picture as it is, any other as a blurred trace, grey unless the person wants
    colours; `?version=` for a round, `?blurred` for the trace of a released one, too."""
    picture, version = _found(picture_id, request.GET.get("version"))
    user = request.user
    assert isinstance(user, User)
    blurred, colours = "blurred" in request.GET, settings_of(user).colours
    return _png(request, lambda: preview_read(picture, version, blurred=blurred, colours=colours))


@require_safe
@permission_required("jobs.view_picture", raise_exception=True)
def picture_overlay(request: HttpRequest, picture_id: UUID) -> HttpResponse:
    """What was blurred or edited in a version (`?version=`), to lie over its preview."""
    picture, version = _found(picture_id, request.GET.get("version"))
    before = changed_from(version, picture.versions.all()) or version
    return _png(request, lambda: change_overlay_read(before, version))


@require_POST
@permission_required(["jobs.view_picture", "moderation.view_raw_picture"], raise_exception=True)
def picture_raw(request: HttpRequest, picture_id: UUID) -> HttpResponse:
    """The picture as it is, recorded. POST only: no link, no prefetch, no image tag gets it."""
    user = request.user
    assert isinstance(user, User)  # `admin_view` and the permission let nobody else in
    picture, version = _found(picture_id, request.POST.get("version"))
    return _png(request, lambda: raw_picture_read(picture=picture, version=version, user=user))


@require_safe
@permission_required("jobs.view_picture", raise_exception=True)
def sent_preview(request: HttpRequest, sent_id: UUID) -> HttpResponse:
    """A picture or mask that was sent, as a blurred trace."""
    sent, user = _sent(pk=sent_id), request.user
    assert isinstance(user, User)
    colours = settings_of(user).colours
    return _png(request, lambda: sent_preview_read(sent, colours=colours))


@require_safe
@permission_required("jobs.view_picture", raise_exception=True)
def sent_overlay(request: HttpRequest, sent_id: UUID) -> HttpResponse:
    """What a mask that was sent lets be painted anew, to lie over the preview of its picture."""
    mask = _sent(pk=sent_id, role=SentPicture.Role.MASK)
    picture = _sent(job=mask.job_id, role=SentPicture.Role.PICTURE)
    return _png(request, lambda: mask_overlay_read(mask, picture))


@require_POST
@permission_required(["jobs.view_picture", "moderation.view_raw_picture"], raise_exception=True)
def sent_raw(request: HttpRequest, sent_id: UUID) -> HttpResponse:
    """A picture or mask as it was sent, recorded; by POST only, as `picture_raw`."""
    sent, user = _sent(pk=sent_id), request.user
    assert isinstance(user, User)
    return _png(request, lambda: raw_sent_read(sent=sent, user=user))


def _sent(**of: Any) -> SentPicture:
    """The one that was sent and is there; one that is still to be fetched is not."""
    return get_object_or_404(SentPicture.objects.exclude(key=""), **of)


def _found(picture_id: UUID, version_id: str | None) -> tuple[Picture, PictureVersion]:
    form = _Version({"version": version_id})
    if not form.is_valid():
        raise Http404
    picture = get_object_or_404(Picture.objects.select_related("current"), pk=picture_id)
    version = version_of(picture, form.cleaned_data["version"])
    if version is None:
        raise Http404("nothing was painted yet")
    return picture, version


def _png(request: HttpRequest, read: Callable[[], bytes]) -> HttpResponse:
    try:
        response = HttpResponse(read(), content_type="image/png")
    except (StorageError, PictureUnreadable) as error:
        response = render(request, "moderation/unavailable.html", {"error": error}, status=502)
    response["Cache-Control"] = "no-store"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'"
    return response
