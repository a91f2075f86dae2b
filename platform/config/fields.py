"""Fields that several schemas of the API share."""

import unicodedata
from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import AwareDatetime, Field

Moment = Annotated[
    AwareDatetime, Field(ge=datetime(1970, 1, 2, tzinfo=UTC), lt=datetime(9999, 1, 1, tzinfo=UTC))
]

_PLAIN: Final = r"[^\u0000-\u001f\u007f-\u009f]"
_VISIBLE: Final = r"[^\s\u0000-\u001f\u007f-\u009f]"
PLAIN: Final = {"pattern": f"^{_PLAIN}*$"}
"""What `plain_text` lets pass, as a schema says it (lone surrogates are no characters there)."""
PLAIN_NOT_BLANK: Final = {"pattern": f"^{_PLAIN}*{_VISIBLE}{_PLAIN}*$"}


def plain_text(value: str) -> str:
    """The text as it is. Raises `ValueError` where it has a control character or a lone half of
    a surrogate pair."""
    for character in value:
        if unicodedata.category(character) in {"Cc", "Cs"}:
            raise ValueError(
                f"the character U+{ord(character):04X} is not allowed; write plain text on one line"
            )
    return value
