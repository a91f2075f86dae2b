"""Drafts that judge live traffic without acting, after a stage was finished."""

import logging
from collections.abc import Sequence

from jobs.claims import Claim
from policies.shadow import shadows_judge

logger = logging.getLogger(__name__)


def judge_in_shadow(claims: Sequence[Claim]) -> None:
    """Let the running shadows judge what was just recorded. Whatever goes wrong is logged: the
    stage is finished already, and no job may suffer from a draft."""
    try:
        shadows_judge([claim.job_id for claim in claims])
    except Exception:
        logger.exception("the shadows could not judge")
