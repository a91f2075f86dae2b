"""A picture by its URL, which a tenant chose: fetched behind the same guard as webhooks are sent.

Addresses are checked and pinned, redirects not followed, time and bytes bounded. What came is a
picture by its content, whatever its name and `Content-Type` say, and nothing of it is decoded here:
that is the workers' affair.
"""

from contextlib import closing
from dataclasses import dataclass
from typing import ClassVar, Final

import httpx
from django.conf import settings

from ethical_lens.image.errors import UnreadablePicture
from ethical_lens.image.sniffing import picture_format
from webhooks.addresses import Deadline, PinnedTransport, Rules, url_parse
from webhooks.errors import WebhookError, WebhookURLRefused

USER_AGENT: Final = "Ethical-Lens-Pictures/1"


class PictureNotFetched(Exception):
    """Base of what keeps a picture from being fetched. The message may be shown to the tenant."""

    code: ClassVar[str]


class PictureURLRefused(PictureNotFetched):
    """The URL, or an address behind it, is none that pictures are fetched from."""

    code = "picture_url_refused"


class PictureUnanswered(PictureNotFetched):
    """No complete answer with a picture came in time."""

    code = "picture_unanswered"


class PictureTooHeavy(PictureNotFetched):
    """The answer has more bytes than are taken."""

    code = "picture_too_heavy"


class NoPicture(PictureNotFetched):
    """What came is no picture that may be read."""

    code = "no_picture"


@dataclass(frozen=True, slots=True)
class FetchedPicture:
    """The bytes of a picture as they came, and their format (`PNG`, `JPEG`, …)."""

    content: bytes
    format: str


def picture_fetch(url: str) -> FetchedPicture:
    """Fetch the picture at `url`, within `PICTURE_SECONDS` and `PICTURE_BYTES` in all.

    Raises `PictureURLRefused`, `PictureUnanswered`, `PictureTooHeavy` or `NoPicture`.
    """
    try:
        request = httpx.Request(
            "GET",
            url_parse(url),
            headers={
                "user-agent": USER_AGENT,
                "accept": "image/*",
                "accept-encoding": "identity",  # nothing is unpacked, so nothing can swell
                "connection": "close",
            },
        )
        deadline = Deadline.after(settings.ENVIRONMENT.picture_seconds)
        transport = PinnedTransport(deadline, Rules.of_pictures())
        with closing(transport.handle_request(request)) as response:
            content = _content(response)
    except WebhookURLRefused as error:
        raise PictureURLRefused(str(error)) from error
    except WebhookError as error:
        raise PictureUnanswered(str(error)) from error
    return picture_known(content)


def picture_known(content: bytes) -> FetchedPicture:
    """The picture with these bytes, however they came: known by its header, not decoded.

    Raises `NoPicture` for what is none, or one too large to be read.
    """
    try:
        return FetchedPicture(content=content, format=picture_format(content))
    except UnreadablePicture as error:
        raise NoPicture(f"what came {error}") from error


def _content(response: httpx.Response) -> bytes:
    if response.is_redirect:
        raise PictureUnanswered("the answer leads elsewhere; give the address it leads to")
    if response.status_code != 200:
        raise PictureUnanswered(f"the answer has the status {response.status_code}")
    if response.headers.get("content-encoding", "identity") != "identity":
        raise PictureUnanswered("the answer is packed, which was not asked for")
    most = settings.ENVIRONMENT.picture_bytes
    declared = response.headers.get("content-length", "")
    if declared.isdecimal() and int(declared[:20]) > most:
        raise _too_heavy(most)
    content = bytearray()
    for chunk in response.iter_raw():
        content += chunk
        if len(content) > most:
            raise _too_heavy(most)
    return bytes(content)


def _too_heavy(most: int) -> PictureTooHeavy:
    return PictureTooHeavy(f"the picture has more than {most} bytes")
