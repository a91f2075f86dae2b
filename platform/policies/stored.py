"""What was judged, read back from the record: enough to decide anew without a model.

One statement each for prompts and for pictures, streamed; what comes out is decided by the very
functions of `ethical_lens.decide`.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import connection

from config.identifiers import uuid7_first
from ethical_lens.results import Concept, LifeStage

CHUNK: Final = 5000

_YOUNG: Final = " || ".join(f'@ == "{stage.value}"' for stage in LifeStage if stage.under_twenty)
_SCORES: Final = ", ".join(f"(d.scores->>'{concept.value}')::float8" for concept in Concept)

MINOR: Final = "coalesce((job.text_verdict->>'minor')::boolean, false)"
"""Whether the prompt speaks of somebody under 20."""
YOUNG: Final = f"""
{MINOR}
  OR coalesce(jsonb_path_exists(picture.draws, '$[*].age ? ({_YOUNG})'), false)
  OR jsonb_path_exists(d.faces, '$[*].under_twenty ? (@ == true)')
"""
"""Whether prompt, draw or a face says that somebody is under 20."""
PROMPTS_FROM: Final = """
FROM jobs_job job
JOIN moderation_decision d ON d.job_id = job.id AND d.stage = 'align' AND d.actor_id IS NULL
WHERE {which}
"""
LOOKS_FROM: Final = """
FROM jobs_job job
JOIN moderation_decision d ON d.job_id = job.id AND d.stage IN ('scrutinise', 'edit')
  AND d.action <> 'edit' AND d.actor_id IS NULL  -- an edit is told beside the verdict on it
  AND NOT EXISTS (  -- what follows a person's repair follows from no policy
    SELECT FROM moderation_decision person
    WHERE person.picture_id = d.picture_id AND person.id < d.id
      AND person.actor_id IS NOT NULL AND person.action IN ('blur', 'repaint')
  )
JOIN jobs_picture picture ON picture.id = d.picture_id
{also}
WHERE {which}
"""
_PROMPTS: Final = f"""
SELECT job.id, d.action, d.reason, d.labels, d.factors, {MINOR}, d.scores::text
{PROMPTS_FROM}
ORDER BY job.id, d.id
"""
_LOOKS: Final = f"""
SELECT d.picture_id, job.id, d.round, d.stage = 'edit', d.action, d.reason, {YOUNG}, {_SCORES}
{LOOKS_FROM}
ORDER BY d.picture_id, d.id
"""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which jobs: those named, or all since a moment, of one tenant or of all."""

    since: datetime | None = None
    tenant: UUID | None = None
    jobs: Sequence[UUID] | None = None

    def sql(self) -> tuple[str, list[Any]]:
        """The condition on `job`, and its parameters."""
        parts, values = ["true"], list[Any]()
        if self.jobs is not None:
            parts.append("job.id = ANY(%s::uuid[])")
            values.append([str(one) for one in self.jobs])
        if self.since is not None:
            parts.append("job.id >= %s")  # ids sort by age, and are indexed
            values.append(uuid7_first(self.since))
        if self.tenant is not None:
            parts.append("job.tenant_id = %s")
            values.append(self.tenant)
        return " AND ".join(parts), values


class JudgedPrompt(NamedTuple):
    """A prompt as it was decided on; without labels nobody reached a verdict. Scores by factor."""

    job: UUID
    action: str
    reason: str
    labels: tuple[str, ...]
    factors: tuple[str, ...]
    minor: bool
    scores: dict[str, float]


class Look(NamedTuple):
    """One look at a picture. `edited`: after a face was painted anew. `under_twenty`: prompt, draw
    or a face said so. `scores` in the order of `Concept`; None: there was none."""

    picture: UUID
    job: UUID
    round: int
    edited: bool
    action: str
    reason: str
    under_twenty: bool
    scores: tuple[float | None, ...]


def prompts_stored(selection: Selection) -> Iterator[JudgedPrompt]:
    """The system's decision on each prompt."""
    for job, action, reason, labels, factors, minor, scores in _rows(_PROMPTS, selection):
        found = _scores_of(factors, scores) if factors else {}
        yield JudgedPrompt(job, action, reason, tuple(labels), tuple(factors), minor, found)


def pictures_stored(selection: Selection) -> Iterator[list[Look]]:
    """The system's looks at each picture, in their order."""
    for _, rows in groupby(_rows(_LOOKS, selection), key=itemgetter(0)):
        yield [Look._make((*row[:7], row[7:])) for row in rows]


def _scores_of(factors: Sequence[str], text: str) -> dict[str, float]:
    found: dict[str, float] = json.loads(text)
    return {factor: found[factor] for factor in factors if factor in found}


def _rows(sql: str, selection: Selection) -> Iterable[tuple[Any, ...]]:
    which, values = selection.sql()
    with connection.chunked_cursor() as cursor:
        cursor.execute(sql.format(which=which, also=""), values)
        while rows := cursor.fetchmany(CHUNK):
            yield from rows
