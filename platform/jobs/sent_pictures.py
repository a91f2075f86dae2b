"""A picture in a request: its address, or its bytes as a `data:` URL.

https://www.rfc-editor.org/rfc/rfc2397
"""

import base64
import binascii
import re
from typing import Final

from moderation.fetching import NoPicture, picture_known
from webhooks.addresses import url_parse
from webhooks.errors import WebhookURLRefused

_DATA: Final = re.compile(r"data:[\w.+-]{1,40}/[\w.+-]{1,80};base64,", re.ASCII)


def sent_read(url: str) -> bytes | str:
    """The bytes of a `data:` URL, which are a picture by their header; any other URL as it is, to
    be fetched.

    Raises `ValueError` with what is wrong with it.
    """
    if not url.startswith("data:"):
        try:
            return str(url_parse(url))
        except WebhookURLRefused as error:
            raise ValueError(str(error)) from error
    head = _DATA.match(url)
    if head is None:
        raise ValueError("write the picture as data:image/png;base64,…")
    try:
        return picture_known(base64.b64decode(url[head.end() :], validate=True)).content
    except binascii.Error as error:
        raise ValueError(f"not base64: {error}") from error
    except NoPicture as error:
        raise ValueError(str(error)) from error
