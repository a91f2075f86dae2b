"""Why a well-formed job is not taken, as problems."""

from config.problems import Problem
from ethical_lens.policy import LimitExceeded, NotAllowed
from jobs.quotas import PriorityNotAllowed, QuotaExceeded

REFUSALS = (QuotaExceeded, PriorityNotAllowed, NotAllowed, LimitExceeded)


def refusal_problem(
    error: QuotaExceeded | PriorityNotAllowed | NotAllowed | LimitExceeded,
) -> Problem:
    """The problem to answer with."""
    if isinstance(error, NotAllowed | LimitExceeded):
        detail = f"at most {error.most}" if isinstance(error, LimitExceeded) else "not allowed"
        return Problem(
            403,
            "not_allowed_by_policy",
            "The policy does not allow this",
            str(error),
            [(f"/{error.field}", detail)],
        )
    if isinstance(error, PriorityNotAllowed):
        return Problem(
            403,
            "priority_not_allowed",
            "The API key may not give its jobs this priority",
            f"Ask for at most {error.highest}, or say none.",
            [("/priority", f"at most {error.highest}")],
        )
    return Problem(
        error.status,
        error.code,
        error.title,
        error.detail,
        [(error.pointer, "more than is left")] if error.pointer else [],
        headers={"Retry-After": str(error.retry_after)},
    )
