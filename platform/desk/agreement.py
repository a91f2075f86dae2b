"""How far people agree, beyond what chance would make them: Cohen's kappa."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

Pair = tuple[str, str]

# What a person chose beside what somebody else chose for the same item, blind; and beside the
# answer of a golden item. What could not be carried out, so that somebody chose once more, is no
# look: it has no decision, and its chooser may decide the item still.
_PAIRS = """
WITH judged AS (
    SELECT choice.id, choice.item_id, choice.user_id, choice.verdict
    FROM desk_choice choice JOIN desk_reviewitem item ON item.id = choice.item_id
    WHERE choice.verdict IN ('allow', 'block') AND choice.undone_at IS NULL
      AND choice.settled_at IS NOT NULL
      AND (choice.decision_id IS NOT NULL OR choice.user_id = ANY(item.closed_to)
           OR item.expected <> '')
)
SELECT person.username, item.category, 'others', mine.verdict, theirs.verdict
FROM judged mine
JOIN judged theirs ON theirs.item_id = mine.item_id AND theirs.user_id <> mine.user_id
JOIN desk_reviewitem item ON item.id = mine.item_id
JOIN accounts_user person ON person.id = mine.user_id
UNION ALL
SELECT person.username, item.category, 'golden', mine.verdict, item.expected
FROM judged mine
JOIN desk_reviewitem item ON item.id = mine.item_id AND item.expected <> ''
JOIN accounts_user person ON person.id = mine.user_id
"""


@dataclass(frozen=True, slots=True)
class AgreementRow:
    """One person in one queue, beside others or beside known answers. `kappa` is None where both
    always gave one and the same answer: then chance explains everything."""

    person: str
    category: str
    beside: str
    items: int
    same: int
    kappa: float | None


def cohens_kappa(pairs: Sequence[Pair]) -> float | None:
    """(observed - expected) / (1 - expected), where `expected` is the agreement of two raters who
    answer by chance with their own frequencies. None without pairs, and where `expected` is 1.

    Cohen (1960), A coefficient of agreement for nominal scales, Educ. Psychol. Meas. 20(1):37-46.
    """
    if not pairs:
        return None
    n = len(pairs)
    observed = sum(a == b for a, b in pairs) / n
    first, second = Counter(a for a, _ in pairs), Counter(b for _, b in pairs)
    expected = sum(first[answer] * second[answer] for answer in first) / n**2
    return None if expected == 1.0 else (observed - expected) / (1.0 - expected)


def agreement_rows() -> list[AgreementRow]:
    """Agreement per person and queue."""
    pairs: dict[tuple[str, str, str], list[Pair]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(_PAIRS)
        for person, category, beside, mine, theirs in cursor.fetchall():
            pairs[person, category, beside].append((mine, theirs))
    return [
        AgreementRow(*key, len(found), sum(a == b for a, b in found), cohens_kappa(found))
        for key, found in sorted(pairs.items())
    ]
