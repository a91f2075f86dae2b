"""Who is drawn and who is seen, per kind of person, against what the policy aims at.

Drift is told by two figures. Pearson's chi-square test (Philosophical Magazine 50, 1900, 157-175)
says whether the difference could be chance; its tail by the cube root of Wilson and Hilferty (PNAS
17, 1931, 684-688). The total variation distance says whether it matters: the share of people who
would have to be others. With fewer than five expected of a value, nothing is said (Cochran,
Biometrics 10, 1954, 417-451).
"""

import json
import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from django.db import connection

from ethical_lens.policy import Policy
from ethical_lens.results import Attribute, Factor, LifeStage
from moderation.policies import policy_of_version

MOST_KINDS: Final = 12
FEWEST_EXPECTED: Final = 5.0
CHANCE: Final = 0.001
"""Many kinds are tested every minute: one false alarm in a thousand is enough."""
MATTERS: Final = 0.1

# A face is taken for the person drawn where one person was drawn and one face was read.
_PEOPLE = """
WITH job AS MATERIALIZED (
    SELECT id, policy_version_id, text_verdict -> 'clusters' AS clusters,
           text_verdict -> 'factors' ? %(sexual)s AS sexual
    FROM jobs_job WHERE id >= %(since)s AND text_verdict IS NOT NULL
), picture AS MATERIALIZED (
    SELECT job.policy_version_id, job.clusters, job.sexual, picture.draws, version.verdict
    FROM job JOIN jobs_picture picture ON picture.job_id = job.id
    LEFT JOIN jobs_pictureversion version ON version.id = picture.current_id
    WHERE jsonb_typeof(picture.draws) = 'array' AND picture.draws <> '[]'
), seen AS (
    SELECT 'drawn' AS how, policy_version_id, clusters, sexual, person AS drawn, person AS shown
    FROM picture, jsonb_array_elements(draws) AS person
    UNION ALL
    SELECT 'read', policy_version_id, clusters, sexual, draws -> 0,
           face || jsonb_build_object('age', face -> 'stage')
    FROM picture, jsonb_array_elements(verdict -> 'faces') AS face
    WHERE jsonb_array_length(draws) = 1 AND jsonb_array_length(verdict -> 'faces') = 1
)
SELECT how, policy_version_id, clusters -> (drawn ->> 'cluster')::int ->> 'kind' AS kind,
       clusters -> (drawn ->> 'cluster')::int -> 'life_stages', sexual, attribute,
       shown ->> attribute, count(*)
FROM seen, unnest(%(attributes)s::text[]) AS attribute
WHERE drawn ->> attribute IS NOT NULL AND shown ->> attribute IS NOT NULL
  AND clusters -> (drawn ->> 'cluster')::int ->> 'kind' IS NOT NULL
GROUP BY 1, 2, 3, 4, 5, 6, 7
"""


@dataclass(frozen=True, slots=True)
class Share:
    """One value among all, in percent."""

    value: str
    target: float
    shown: float | None

    @property
    def width(self) -> str:
        return f"{self.shown or 0.0:.1f}%"

    @property
    def mark(self) -> str:
        return f"{self.target:.1f}%"


@dataclass(slots=True)
class Distribution:
    """How often each value came, and how often it should have, in `number` of people."""

    observed: Counter[str] = field(default_factory=Counter)
    expected: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))

    @property
    def number(self) -> int:
        return self.observed.total()

    @property
    def distance(self) -> float:
        """Total variation, 0 to 1: half of what all shares differ by."""
        values = {*self.observed, *self.expected}
        gaps = (abs(self.observed[v] - self.expected.get(v, 0.0)) for v in values)
        return sum(gaps) / (2 * self.number) if self.number else 0.0

    @property
    def chance(self) -> float | None:
        """The probability of a difference as large where there is none; None: too few to say."""
        if not self.expected or min(self.expected.values()) < FEWEST_EXPECTED:
            return None
        if any(value not in self.expected for value in self.observed):
            return 0.0
        square = sum((self.observed[v] - e) ** 2 / e for v, e in self.expected.items())
        return chi_square_tail(square, len(self.expected) - 1)

    @property
    def drifts(self) -> bool:
        chance = self.chance
        return chance is not None and chance < CHANCE and self.distance >= MATTERS

    @property
    def verdict(self) -> str:
        """In words, for the page."""
        if not self.number:
            return "nobody"
        if self.chance is None:
            return "too few to say"
        return "drift" if self.drifts else "as it should be"

    @property
    def shares(self) -> list[Share]:
        """By value, in the order of the policy; what should not be there last."""
        values = [*self.expected, *sorted(set(self.observed) - set(self.expected))]
        return [
            Share(
                value,
                100 * self.expected.get(value, 0.0) / self.number,
                100 * self.observed[value] / self.number,
            )
            for value in values
        ]


@dataclass(frozen=True, slots=True)
class Tally:
    """One attribute of one kind of person."""

    kind: str
    attribute: str
    drawn: Distribution
    read: Distribution

    @property
    def rows(self) -> list[tuple[Share, Share | None]]:
        """Each value as drawn, and as read where a face was."""
        read = {share.value: share for share in self.read.shares}
        drawn = {share.value: share for share in self.drawn.shares}
        extra = [Share(value, 0.0, 0.0) for value in read if value not in drawn]
        return [(share, read.get(share.value)) for share in (*drawn.values(), *extra)]


def tallies_read(since: UUID) -> list[Tally]:
    """Of jobs from the id `since` on: the kinds most often drawn, each attribute that was."""
    tallies: dict[tuple[str, str], Tally] = {}
    parameters: dict[str, Any] = {
        "since": since,
        "sexual": Factor.SEXUAL.value,
        "attributes": [attribute.value for attribute in Attribute],
    }
    with connection.cursor() as cursor:
        cursor.execute(_PEOPLE, parameters)
        rows = cursor.fetchall()
    for how, version_id, kind, stages, sexual, attribute, value, count in rows:
        tally = tallies.setdefault(
            (kind, attribute), Tally(kind, attribute, Distribution(), Distribution())
        )
        distribution = tally.drawn if how == "drawn" else tally.read
        distribution.observed[value] += count
        shares = target_shares(
            policy_of_version(version_id), Attribute(attribute), json.loads(stages or "[]"), sexual
        )
        for name, share in shares.items():
            distribution.expected[name] += share * count
    size: Counter[str] = Counter()
    for tally in tallies.values():
        size[tally.kind] = max(size[tally.kind], tally.drawn.number)
    kinds = [kind for kind, _ in size.most_common(MOST_KINDS)]
    order = [attribute.value for attribute in Attribute]
    chosen = [tally for tally in tallies.values() if tally.kind in kinds]
    return sorted(chosen, key=lambda t: (kinds.index(t.kind), order.index(t.attribute)))


def target_shares(
    policy: Policy, attribute: Attribute, stages: Sequence[str], sexual: bool
) -> Mapping[str, float]:
    """The share of each value that draws aim at, 0 to 1, in the order of the pool; of ages those
    that are plausible and may be drawn."""
    cards = Counter(str(card) for card in policy.cards(attribute))
    if attribute is Attribute.AGE:
        factors = frozenset({Factor.SEXUAL}) if sexual else frozenset()
        plausible = tuple(LifeStage(stage) for stage in stages)
        allowed = {str(stage) for stage in policy.life_stages_to_draw(plausible, factors)}
        cards = Counter({value: number for value, number in cards.items() if value in allowed})
    total = cards.total()
    return {value: number / total for value, number in cards.items()}


def chi_square_tail(square: float, freedom: int) -> float:
    """The probability that chi-square of `freedom` degrees exceeds `square` (Wilson, Hilferty)."""
    if freedom < 1:
        return 1.0
    spread = 2 / (9 * freedom)
    z = ((square / freedom) ** (1 / 3) - (1 - spread)) / math.sqrt(spread)
    return 0.5 * math.erfc(z / math.sqrt(2))
