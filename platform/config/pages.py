"""Pages of a list, newest first, by cursor."""

from typing import Any

import pydantic
from django.core.exceptions import ValidationError as DjangoValidationError
from ninja.errors import ValidationError
from ninja.pagination import CursorPagination

from config.problems import Problem


class CursorPages(CursorPagination):
    """Ninja's cursor pages, with a clear answer to a cursor that is none."""

    def __init__(self, **options: Any) -> None:
        super().__init__(ordering=("-id",), page_size=20, max_page_size=100, **options)

    def paginate_queryset(self, *args: Any, **options: Any) -> Any:
        try:
            return super().paginate_queryset(*args, **options)
        except (ValidationError, DjangoValidationError, pydantic.ValidationError) as error:
            raise Problem(
                422,
                "invalid_request",
                "The request is not valid",
                "Take the cursor from `next` or `previous` of a page, as it is.",
                [("/query/cursor", "not a cursor of this list")],
            ) from error
