"""What a policy would make of what was judged: the stored looks, decided anew."""

from collections.abc import Iterator
from typing import NamedTuple
from uuid import UUID

from ethical_lens.policy import Policy
from ethical_lens.results import Concept
from policies.stored import Selection, pictures_stored, prompts_stored
from policies.verdicts import STOPPED, Verdict, Verdicts

_CONCEPTS = tuple(concept.value for concept in Concept)


class Judged(NamedTuple):
    """What was made of a prompt or, with `picture`, of a picture, and what the policy would.
    `scores` are those of the first look, named in `scored`."""

    job: UUID
    picture: UUID | None
    live: str
    live_reason: str
    then: str
    then_reason: str
    scored: tuple[str, ...] = ()
    found: tuple[float | None, ...] = ()

    @property
    def change(self) -> tuple[str, str, str]:
        """Whether it is a prompt or a picture, what was done, and what would be."""
        return "picture" if self.picture else "prompt", self.live, self.then

    @property
    def flips(self) -> bool:
        """Whether the policy would do otherwise."""
        return self.live != self.then

    @property
    def scores(self) -> dict[str, float]:
        """What was found first, by head or factor."""
        named = zip(self.scored, self.found, strict=True)
        return {name: score for name, score in named if score is not None}


def judged(policy: Policy, selection: Selection) -> Iterator[Judged]:
    """All prompts and pictures of the selection under `policy`, prompts first.

    Scores are those that were stored: a picture that would be blurred or painted anew, and was
    not, ends as `blur` or `repaint`, since nobody knows what would have come of it. The pictures
    of a prompt that would be blocked or held are blocked or held.
    """
    verdicts, stopped = Verdicts(policy), dict[UUID, Verdict]()
    for prompt in prompts_stored(selection):
        verdict = verdicts.on_prompt(prompt)
        if verdict[0] in STOPPED:
            stopped[prompt.job] = verdict
        yield Judged(
            prompt.job, None, prompt.action, prompt.reason, *verdict,
            tuple(prompt.scores), tuple(prompt.scores.values()),
        )  # fmt: skip
    for looks in pictures_stored(selection):
        first, last = looks[0], looks[-1]
        verdict = stopped.get(first.job) or verdicts.on_picture(looks)
        yield Judged(
            first.job, first.picture, last.action, last.reason, *verdict, _CONCEPTS, first.scores
        )
