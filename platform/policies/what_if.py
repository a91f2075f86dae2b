"""What a policy would have decided of the last days, counted and with examples."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.utils import timezone

from ethical_lens.policy import Policy
from policies.cases import EXAMPLES, counted
from policies.judging import Judged, judged
from policies.stored import Selection
from policies.verdicts import Verdicts

CSV_HEADER: Final = (
    "subject", "job", "picture", "was", "was_reason", "would_be", "would_be_reason", "scores",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Change:
    """So many were `live` and would be `then`."""

    subject: str
    live: str
    then: str
    number: int
    examples: tuple[Judged, ...] = ()

    @property
    def flips(self) -> bool:
        return self.live != self.then


@dataclass(slots=True)
class Comparison:
    """How many prompts and pictures were and would be what."""

    counts: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    examples: dict[tuple[str, str, str], list[Judged]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def show(self, one: Judged) -> None:
        """Keep it as an example where one is wanted."""
        if one.flips and len(self.examples[one.change]) < EXAMPLES:
            self.examples[one.change].append(one)

    def changes(self, subject: str) -> list[Change]:
        """Of prompts or pictures, what flips first, the most frequent first."""
        changes = [
            Change(*key, number, tuple(self.examples.get(key, ())))
            for key, number in self.counts.items()
            if key[0] == subject
        ]
        return sorted(changes, key=lambda one: (not one.flips, -one.number, one.live, one.then))

    def outcomes(self, subject: str) -> list[tuple[str, int, int]]:
        """Each action with how many were it and how many would be."""
        was, would = Counter[str](), Counter[str]()
        for (what, live, then), number in self.counts.items():
            if what == subject:
                was[live] += number
                would[then] += number
        return [(action, was[action], would[action]) for action in sorted(was | would)]

    def flips(self, subject: str) -> int:
        """How many would be something else."""
        return sum(one.number for one in self.changes(subject) if one.flips)


def what_if(policy: Policy, *, days: int, tenant: UUID | None = None) -> Comparison:
    """`policy` over what was judged of jobs submitted in the last `days`. No model is run."""
    comparison, jobs = Comparison(), defaultdict[tuple[str, str, str], set[UUID]](set)
    for one in counted(Verdicts(policy), _selection(days, tenant)):
        change = (one.subject, one.live, one.then)
        comparison.counts[change] += one.number
        if one.live != one.then:
            jobs[change].update(one.jobs)
    named = {job for first in jobs.values() for job in sorted(first)[:EXAMPLES]}
    for example in judged(policy, Selection(jobs=sorted(named))):
        comparison.show(example)
    return comparison


def what_if_rows(
    policy: Policy, *, days: int, tenant: UUID | None = None
) -> Iterator[tuple[str, ...]]:
    """Every prompt and picture that would be something else, as rows under `CSV_HEADER`."""
    for one in judged(policy, _selection(days, tenant)):
        if one.flips:
            scores = " ".join(f"{name}={score:g}" for name, score in one.scores.items())
            yield (
                "picture" if one.picture else "prompt", str(one.job), str(one.picture or ""),
                one.live, one.live_reason, one.then, one.then_reason, scores,
            )  # fmt: skip


def _selection(days: int, tenant: UUID | None) -> Selection:
    return Selection(since=timezone.now() - timedelta(days=days), tenant=tenant)
