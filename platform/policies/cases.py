"""What was judged, counted by the database: cases that are decided alike, with how many there are.

So many pictures come to a few hundred cases, and only those travel.
"""

import json
from collections.abc import Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import connection, transaction

from ethical_lens.results import Concept
from policies.stored import LOOKS_FROM, MINOR, PROMPTS_FROM, YOUNG, Selection
from policies.verdicts import (
    AT_FLOOR,
    BELOW,
    NEAR,
    REACHED,
    STOPPED,
    SURE,
    UNREADABLE,
    LookCase,
    Verdict,
    Verdicts,
)

EXAMPLES: Final = 5
"""Kept per change; so many jobs are named per case."""
_SORT_MEMORY: Final = "64MB"

_LEVEL: Final = f"""
CASE WHEN NOT coalesce(score.of BETWEEN 0 AND 1, false) THEN '{UNREADABLE}' ELSE
  (CASE WHEN score.of >= %s THEN {SURE} WHEN score.of >= %s THEN {REACHED}
        WHEN score.of >= %s THEN {NEAR} ELSE {BELOW} END
   + CASE WHEN score.of >= %s THEN {AT_FLOOR} ELSE 0 END)::text END
"""
_LEVELS: Final = " || ".join(
    _LEVEL.replace("score.of", f"(d.scores->>'{concept.value}')::float8") for concept in Concept
)
_FIRST: Final = f"(array_agg(job ORDER BY job))[1:{EXAMPLES}]"

_TEXT_CASE: Final = (
    f"jsonb_build_array(d.labels, d.factors, {{reached}}, {MINOR}, d.action, d.reason)"
)
_PROMPTS: Final = f"""
SELECT text_case::text, count(*), {_FIRST}
FROM (SELECT job.id AS job, {{text_case}} AS text_case {PROMPTS_FROM}) AS prompt
GROUP BY text_case
"""  # noqa: S608 - our own statements, here and below
_STOPPED: Final = f"""
LEFT JOIN (
    SELECT DISTINCT ON (job) job, text_case
    FROM (SELECT job.id AS job, d.id, {{text_case}}::text AS text_case {PROMPTS_FROM}) AS prompt
    WHERE text_case = ANY(%s)
    ORDER BY job, id DESC
) AS stopped ON stopped.job = job.id
"""  # noqa: S608
_LOOKS: Final = f"""
SELECT stopped, looks, count(*), {_FIRST}
FROM (
    SELECT job, stopped, array_agg(look ORDER BY decision) AS looks
    FROM (
        SELECT d.picture_id AS picture, job.id AS job, d.id AS decision, {{stopped}} AS stopped,
               concat_ws(',', {_LEVELS}, d.round, d.stage = 'edit', coalesce({YOUNG}, false),
                         d.action, d.reason) AS look
        {LOOKS_FROM}
    ) AS one
    GROUP BY picture, job, stopped
) AS seen
GROUP BY stopped, looks
"""  # noqa: S608


class Counted(NamedTuple):
    """So many prompts or pictures were `live` and would be `then`; `jobs` has the first of them."""

    subject: str
    live: str
    then: str
    number: int
    jobs: Sequence[UUID]


def counted(verdicts: Verdicts, selection: Selection) -> list[Counted]:
    """All prompts and pictures of the selection, by case; what `policies.judging.judged` tells one
    by one."""
    which, values = selection.sql()
    text_case, thresholds = _text_case(verdicts)
    levels = [cut for cuts in zip(*verdicts.cuts, strict=True) for cut in cuts]
    found, stopped = list[Counted](), dict[str | None, Verdict]()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL work_mem = '{_SORT_MEMORY}'")
        cursor.execute(_PROMPTS.format(which=which, text_case=text_case), [*thresholds, *values])
        for case, number, jobs in cursor.fetchall():
            live, verdict = _on_prompt(verdicts, case)
            if verdict[0] in STOPPED:
                stopped[case] = verdict
            found.append(Counted("prompt", live, verdict[0], number, jobs))
        also, also_values = "", list[Any]()
        if stopped:
            also = _STOPPED.format(which=which, text_case=text_case)
            also_values = [*thresholds, *values, list(stopped)]
        cursor.execute(
            _LOOKS.format(which=which, also=also, stopped="stopped.text_case" if stopped else "''"),
            [*levels, *also_values, *values],
        )
        for case, looks, number, jobs in cursor.fetchall():
            cases = tuple(map(_look_case, looks))
            verdict = stopped.get(case) or verdicts.on_looks(cases)
            found.append(Counted("picture", cases[-1].action, verdict[0], number, jobs))
    return found


def _text_case(verdicts: Verdicts) -> tuple[str, list[float]]:
    """What a decision on a prompt depends on, as SQL, and its parameters."""
    reached = ", ".join(
        f"CASE WHEN '{factor}' = ANY(d.factors)"
        f" AND coalesce((d.scores->>'{factor}')::float8 >= %s, true) THEN '{factor}' END"
        for factor in verdicts.factors
    )
    sql = f"array_remove(ARRAY[{reached}]::text[], NULL)"
    return _TEXT_CASE.format(reached=sql), list(verdicts.factors.values())


def _on_prompt(verdicts: Verdicts, case: str) -> tuple[str, Verdict]:
    """What was done, and the verdict; where nobody reached one then, that of then."""
    labels, factors, reached, minor, action, reason = json.loads(case)
    if not labels:
        return action, (action, reason)
    return action, verdicts.on_text(tuple(labels), tuple(factors), tuple(reached), minor)


def _look_case(text: str) -> LookCase:
    levels, round, edited, under_twenty, action, reason = text.split(",", 5)
    return LookCase(levels, int(round), edited == "t", action, reason, under_twenty == "t")
