"""How asking the model can fail. None of these is ever taken for a verdict."""

from http import HTTPStatus
from typing import Final

from ethical_lens.text.aligner import AlignmentError, UnreadableReply

_OF_THE_QUESTION: Final = frozenset(
    {
        0,
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    }
)


class LlmNotConfigured(AlignmentError):
    """The settings of the model are missing or malformed."""


class LlmUnavailable(AlignmentError):
    """The server was not reached, did not answer in time, or answered that it cannot now.

    `retry_after`: seconds it asked to be left alone, where it did.
    """

    def __init__(self, message: str, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class CircuitOpen(LlmUnavailable):
    """The last calls all failed, so the server was not asked."""


class Refused(UnreadableReply):
    """The model declined to answer."""


class LlmRejected(AlignmentError):
    """The server answered that it will not take this request: asking again changes nothing.

    `status`: of its answer; 0 where there is none.
    """

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status

    @property
    def of_the_question(self) -> bool:
        """Whether it is for what was asked; other answers, as to a wrong key or address, are about
        who asks."""
        return self.status in _OF_THE_QUESTION
