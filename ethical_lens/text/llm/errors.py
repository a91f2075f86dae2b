"""How asking the model can fail. None of these is ever taken for a verdict."""

from ethical_lens.text.aligner import AlignmentError, UnreadableReply


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
