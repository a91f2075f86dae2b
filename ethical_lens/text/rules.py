"""The offline aligner: word lists and rules, no model, no network."""

from collections.abc import Sequence
from typing import Final

from pydantic import ValidationError

from ethical_lens.policy import Policy
from ethical_lens.results import (
    Alignment,
    AttributeDraw,
    Concept,
    Label,
    TextVerdict,
)
from ethical_lens.text import data, judge, minors, rewrite
from ethical_lens.text.aligner import AlignmentError, UnreadablePrompt
from ethical_lens.text.figures import depicted_figures
from ethical_lens.text.merge import merge_picture
from ethical_lens.text.normalise import Reading, read
from ethical_lens.text.people import find_clusters
from ethical_lens.text.vocabulary import why_unreadable

RULES_VERSION: Final = "2"
"""Raised with every change of the code here that can change a verdict."""


class RuleAligner:
    """A `PromptAligner` made of word lists. It holds no state; one may serve any number of
    threads. It reads English only and says so (`UnreadablePrompt`) instead of guessing."""

    name = "rules"

    def __init__(self) -> None:
        self.version = f"{RULES_VERSION}+{data.digest()}"
        """Version of the rules and digest of their word lists."""

    def scrutinise(
        self,
        prompt: str,
        negative_prompt: str,
        policy: Policy,
    ) -> TextVerdict:
        """Judge a prompt and its negative prompt; see `judge` for the table of labels.

        Sexual content of any strength is K3 where the prompt states or implies a minor, or where
        the negative prompt pushes adulthood away. A negative prompt that pushes clothing away is
        sexual content itself, and loses those words. A rewrite is judged again, and becomes K3
        where it is not safe. Raises `UnreadablePrompt` for what it cannot read, unless what it
        can read is K3 already.
        """
        reading, negative = read(prompt), read(negative_prompt)
        evidence = judge.evidence(reading, negative)
        label = evidence.label
        if label is not Label.K3:
            _must_be_readable(reading, negative)

        rewritten, negative_left = prompt, negative_prompt
        rewrite_failed = False
        if label in {Label.K1, Label.K2}:
            rewritten = rewrite.without_unsafe_words(prompt)
            negative_left = rewrite.without_clothing_words(negative_prompt)
            if not _is_safe(rewritten, negative_left):
                rewritten, negative_left = prompt, negative_prompt
                label, rewrite_failed = Label.K3, True

        figures = depicted_figures(reading)
        return TextVerdict(
            labels=frozenset({label, Label.A1} if figures else {label}),
            factors=frozenset(evidence.found),
            factor_scores=judge.scores(evidence.found, endangers_minor=evidence.endangers_minor),
            score=judge.score(evidence.found, endangers_minor=evidence.endangers_minor),
            explanation=judge.explain(
                evidence.found,
                label,
                endangers_minor=evidence.endangers_minor,
                clothing_pushed=evidence.clothing_pushed,
                rewrite_failed=rewrite_failed,
                names_figure=bool(figures),
            ),
            prompt=rewritten,
            negative_prompt=negative_left,
            clusters=() if label is Label.K3 else find_clusters(rewritten),
            figures=figures,
            minor=evidence.minor,
        )

    def merge(
        self, verdict: TextVerdict, draws: Sequence[Sequence[AttributeDraw]], policy: Policy
    ) -> Alignment:
        """One prompt per entry of `draws`, also where nobody is drawn for; none for a blocked
        verdict. Raises `AlignmentError` for draws that do not fit the verdict."""
        if verdict.blocked:
            return Alignment(verdict=verdict)
        pictures = tuple(merge_picture(verdict, one, policy) for one in draws)
        try:
            return Alignment(verdict=verdict, pictures=pictures)
        except ValidationError as error:
            raise AlignmentError("the draws may not be painted with this verdict") from error

    def revise(self, prompt: str, concepts: frozenset[Concept], policy: Policy) -> str:
        """A calmer wording of `prompt` after its picture showed `concepts`; deterministic, never
        the same text, and safe by the same rules. Raises `AlignmentError` where there is none,
        `UnreadablePrompt` where the prompt cannot be read."""
        reading = read(prompt)
        _must_be_readable(reading, read(""))
        if judge.label(judge.strengths(reading), endangers_minor=False) is Label.K3:
            raise AlignmentError("the prompt is not fit for generation in any wording")
        revised = rewrite.steered(prompt, concepts) if concepts else None
        if revised is None or revised == prompt or not _is_safe(revised, ""):
            raise AlignmentError("no other safe wording of the prompt could be found")
        return revised


def _must_be_readable(reading: Reading, negative: Reading) -> None:
    why = why_unreadable(reading)
    if why is not None:
        raise UnreadablePrompt(f"the prompt cannot be judged: {why}")
    why = why_unreadable(negative, keywords=True)
    if why is not None:
        raise UnreadablePrompt(f"the negative prompt cannot be judged: {why}")


def _is_safe(prompt: str, negative_prompt: str) -> bool:
    """Judged as if it came from a user: no factor touched, and something left to paint."""
    return (
        rewrite.has_content(prompt)
        and not judge.strengths(read(prompt))
        and not minors.clothing_pushed_away(read(negative_prompt))
    )
