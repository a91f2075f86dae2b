"""What is not released leaves the server as a grey blur, or raw with a row that says to whom."""

import io
from concurrent.futures import ThreadPoolExecutor, wait

import numpy as np
import pytest
from django.http import HttpResponseBase
from django.test import Client
from django.urls import reverse
from PIL import Image, PngImagePlugin

from desk.retouching import Region, region_blur
from ethical_lens.results import PictureAction
from jobs.models import Picture, PictureVersion
from jobs.states import PictureStatus
from jobs.storage import object_delete, quarantine_put
from moderation import previews
from moderation.models import RawPictureView
from moderation.previews import PictureUnreadable, preview_make
from review_cases import judged_job, make_user, png, reviewed_picture

pytestmark = [pytest.mark.services, pytest.mark.django_db]


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), dtype=float)


def sharpness(picture: np.ndarray) -> float:
    """Mean difference of neighbouring pixels, 0 to 255."""
    return float(np.abs(np.diff(picture, axis=0)).mean() + np.abs(np.diff(picture, axis=1)).mean())


def fine_share(picture: np.ndarray) -> float:
    """The share of a square picture's contrast that lies in waves finer than a twelfth of it."""
    grey = picture.mean(axis=2)
    window = np.hanning(len(grey))
    waves = np.abs(np.fft.fft2((grey - grey.mean()) * np.outer(window, window))) ** 2
    per_side = np.abs(np.fft.fftfreq(len(grey)) * len(grey))
    fine = np.maximum(per_side[:, None], per_side[None, :]) > 12
    return float(waves[fine].sum() / waves.sum())


def client_of(*permissions: str) -> Client:
    client = Client()
    client.force_login(make_user(*permissions))
    return client


def preview_url(picture: Picture) -> str:
    return reverse("moderation:picture_preview", args=[picture.id])


def raw_url(picture: Picture) -> str:
    return reverse("moderation:picture_raw", args=[picture.id])


def never_kept(response: HttpResponseBase) -> bool:
    return (
        "no-store" in response["Cache-Control"] and response["X-Content-Type-Options"] == "nosniff"
    )


def looks(picture: Picture) -> int:
    return RawPictureView.objects.filter(picture=picture).count()


@pytest.mark.parametrize("side", [64, 512])
def test_a_preview_is_grey_and_blurred_past_recognition(side: int) -> None:
    original = png(3, side)
    shown = preview_make(original)
    assert Image.open(io.BytesIO(shown)).mode == "L"
    before, after = pixels(original), pixels(shown)
    assert max(after.shape) == 256
    assert sharpness(after) < 3 < sharpness(before)
    assert fine_share(after) < 0.001 < 0.1 < fine_share(before)


def test_text_in_the_file_does_not_survive_a_preview() -> None:
    note = PngImagePlugin.PngInfo()
    note.add_text("parameters", "a secret prompt")
    out = io.BytesIO()
    Image.new("RGBA", (64, 32), (200, 10, 10, 128)).save(out, "PNG", pnginfo=note)
    shown = preview_make(out.getvalue())
    assert b"secret" in out.getvalue()
    assert b"secret" not in shown
    assert Image.open(io.BytesIO(shown)).size == (256, 128)


def large(format: str, **options: object) -> bytes:
    """A file of 4,000,000 pixels."""
    out = io.BytesIO()
    Image.new("RGB", (2500, 1600), (200, 10, 10)).save(out, format, **options)
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "waits"),
    [
        (large("PNG"), True),
        (large("JPEG", progressive=True), True),
        (large("JPEG"), False),
        (png(3, 512), False),
    ],
    ids=["large", "large and decoded whole", "decoded at a fraction", "small"],
)
def test_of_large_pictures_one_is_in_memory_at_a_time(content: bytes, waits: bool) -> None:
    with ThreadPoolExecutor(1) as pool:
        with previews._one_large:
            making = pool.submit(preview_make, content)
            _, waiting = wait([making], timeout=1.0 if waits else 30.0)
            assert bool(waiting) is waits
        assert Image.open(io.BytesIO(making.result(timeout=30))).width == 256


def test_what_is_no_picture_has_no_preview() -> None:
    with pytest.raises(PictureUnreadable):
        preview_make(b"<html>")


def test_an_unreleased_picture_is_shown_as_its_trace() -> None:
    picture = reviewed_picture()
    response = client_of("jobs.view_picture").get(preview_url(picture))
    assert response.status_code == 200
    assert response["Content-Type"] == "image/png"
    assert never_kept(response)
    assert response.content != png(0)
    shown = pixels(response.content)
    assert np.ptp(shown, axis=2).max() == 0, "grey: R=G=B"
    assert sharpness(shown) < 3


def test_a_released_picture_is_shown_as_it_is() -> None:
    picture = judged_job(PictureAction.RELEASE).pictures.get()
    assert picture.status == PictureStatus.RELEASED
    response = client_of("jobs.view_picture").get(preview_url(picture))
    assert response.content == png(0)
    assert never_kept(response)


def test_a_released_picture_is_blurred_where_that_is_asked_for() -> None:
    picture = judged_job(PictureAction.RELEASE).pictures.get()
    response = client_of("jobs.view_picture").get(preview_url(picture) + "?blurred")
    assert sharpness(pixels(response.content)) < 3


def test_an_earlier_round_of_a_released_picture_stays_blurred() -> None:
    picture = judged_job(PictureAction.RELEASE).pictures.get()
    stored = quarantine_put(job_id=picture.job_id, picture_id=picture.id, round=2, png=png(9))
    other = PictureVersion.objects.create(
        picture=picture, round=2, kind="painted", prompt="x", key=stored.key,
        sha256=stored.sha256, size=stored.size,
    )  # fmt: skip
    response = client_of("jobs.view_picture").get(preview_url(picture), {"version": str(other.id)})
    assert response.content != png(9)
    assert sharpness(pixels(response.content)) < 3


def test_a_withdrawn_picture_is_blurred_again() -> None:
    picture = judged_job(PictureAction.RELEASE).pictures.get()
    Picture.objects.filter(pk=picture.pk).update(status=PictureStatus.WITHDRAWN)
    response = client_of("jobs.view_picture").get(preview_url(picture))
    assert sharpness(pixels(response.content)) < 3


@pytest.mark.parametrize("version", ["nonsense", "0" * 32, "\x00"])
def test_a_version_that_is_not_there_is_not_found(version: str) -> None:
    picture = reviewed_picture()
    client = client_of("jobs.view_picture")
    assert client.get(preview_url(picture), {"version": version}).status_code == 404


def test_a_version_of_another_picture_is_not_found() -> None:
    picture, other = reviewed_picture(), reviewed_picture()
    client = client_of("jobs.view_picture", "moderation.view_raw_picture")
    version = {"version": str(other.current_id)}
    assert client.get(preview_url(picture), version).status_code == 404
    assert client.post(raw_url(picture), version).status_code == 404
    assert not looks(picture)


def overlay_url(picture: Picture) -> str:
    return reverse("moderation:picture_overlay", args=[picture.id])


def test_what_was_blurred_lies_over_the_preview_as_blurred_as_that() -> None:
    picture = reviewed_picture()
    original = picture.current
    assert original
    stored = quarantine_put(
        job_id=picture.job_id, picture_id=picture.id, round=1,
        png=region_blur(png(0), Region(0, 0, 0.5, 1)),
    )  # fmt: skip
    blurred = picture.versions.create(
        round=1, kind="blurred", prompt="x", key=stored.key, sha256=stored.sha256, size=stored.size
    )
    client = client_of("jobs.view_picture")
    response = client.get(overlay_url(picture), {"version": str(blurred.id)})
    assert never_kept(response)
    overlay = np.asarray(Image.open(io.BytesIO(response.content)).convert("RGBA"), dtype=float)
    left, right = overlay[:, :60, 3], overlay[:, -60:, 3]
    assert left.min() > 90
    assert right.max() < 10
    assert sharpness(overlay[:, :, 3:]) < 3
    painted = client.get(overlay_url(picture), {"version": str(original.id)})
    nothing = np.asarray(Image.open(io.BytesIO(painted.content)).convert("RGBA"))
    assert nothing[:, :, 3].max() == 0
    assert client_of().get(overlay_url(picture)).status_code == 403

    client.force_login(make_user(group="Moderators"))
    page = client.get(reverse("desk:item", args=[picture.review_items.get().pk])).content.decode()
    assert f"{overlay_url(picture)}?version={blurred.pk}" in page
    assert f"{overlay_url(picture)}?version={original.pk}" not in page


def test_previews_are_for_staff_who_may_see_pictures() -> None:
    picture = reviewed_picture()
    assert Client().get(preview_url(picture)).status_code == 302
    assert client_of().get(preview_url(picture)).status_code == 403
    outsider = make_user("jobs.view_picture")
    outsider.is_staff = False
    outsider.save()
    client = Client()
    client.force_login(outsider)
    assert client.get(preview_url(picture)).status_code == 302


def test_looking_at_the_original_records_who_looked() -> None:
    picture = reviewed_picture()
    user = make_user(group="Moderators")
    client = Client()
    client.force_login(user)
    response = client.post(raw_url(picture))
    assert response.status_code == 200
    assert response.content == png(0)
    assert response["Content-Type"] == "image/png"
    assert never_kept(response)
    view = RawPictureView.objects.get(picture=picture)
    assert picture.current
    assert (view.user, view.object_digest) == (user, picture.current.sha256)


def test_the_original_cannot_be_had_by_get() -> None:
    picture = reviewed_picture()
    client = client_of("jobs.view_picture", "moderation.view_raw_picture")
    assert client.get(raw_url(picture)).status_code == 405
    assert client.head(raw_url(picture)).status_code == 405
    assert not looks(picture)


@pytest.mark.parametrize(
    "permissions", [(), ("jobs.view_picture",), ("moderation.view_raw_picture",)]
)
def test_the_original_needs_both_permissions(permissions: tuple[str, ...]) -> None:
    picture = reviewed_picture()
    assert client_of(*permissions).post(raw_url(picture)).status_code == 403
    assert Client().post(raw_url(picture)).status_code == 302
    assert not looks(picture)


def test_the_original_needs_the_csrf_token() -> None:
    picture = reviewed_picture()
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_user(group="Moderators"))
    assert client.post(raw_url(picture)).status_code == 403
    assert not looks(picture)


def test_a_picture_that_the_store_lost_is_a_clear_page_and_no_record() -> None:
    picture = reviewed_picture()
    assert picture.current
    object_delete(picture.current.key)
    client = client_of("jobs.view_picture", "moderation.view_raw_picture")
    for response in (client.get(preview_url(picture)), client.post(raw_url(picture))):
        assert response.status_code == 502
        assert "cannot be shown" in response.content.decode()
        assert never_kept(response)
    assert not looks(picture)


def test_a_picture_that_was_never_painted_is_not_found() -> None:
    picture = reviewed_picture()
    Picture.objects.filter(pk=picture.pk).update(current=None)
    client = client_of("jobs.view_picture", "moderation.view_raw_picture")
    assert client.get(preview_url(picture)).status_code == 404
    assert client.post(raw_url(picture)).status_code == 404
