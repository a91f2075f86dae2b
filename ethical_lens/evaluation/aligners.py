"""Aligners as an evaluation has them: one that changes nothing, and one that must be reached."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from ethical_lens.evaluation.journal import EvaluationError
from ethical_lens.policy import Policy
from ethical_lens.results import (
    Alignment,
    AttributeDraw,
    Concept,
    Label,
    PicturePrompt,
    TextVerdict,
)
from ethical_lens.text.aligner import PromptAligner
from ethical_lens.text.choose import LLM, load_aligner
from ethical_lens.text.llm.errors import LlmRejected, LlmUnavailable
from ethical_lens.text.minors import mentions_minor
from ethical_lens.text.normalise import read
from ethical_lens.text.rules import RuleAligner


class AlignerUnavailable(EvaluationError):
    """The server of an aligner cannot be asked now. That says nothing about any prompt."""


def load_for_evaluation(name: str) -> PromptAligner:
    """As `load_aligner`; the one over HTTP must be reached."""
    aligner = load_aligner(name)
    return MustBeReached(aligner) if name == LLM else aligner


class MustBeReached:
    """An aligner whose every method raises `AlignerUnavailable` where its server is down.

    In service that hands over to the next aligner or to a person. In an evaluation it would be
    taken for what the aligner does.
    """

    def __init__(self, aligner: PromptAligner) -> None:
        self._aligner = aligner
        self.name, self.version = aligner.name, aligner.version

    def scrutinise(self, prompt: str, negative_prompt: str, policy: Policy) -> TextVerdict:
        """As the aligner."""
        with self._reached():
            return self._aligner.scrutinise(prompt, negative_prompt, policy)

    def merge(
        self, verdict: TextVerdict, draws: Sequence[Sequence[AttributeDraw]], policy: Policy
    ) -> Alignment:
        """As the aligner."""
        with self._reached():
            return self._aligner.merge(verdict, draws, policy)

    def revise(self, prompt: str, concepts: frozenset[Concept], policy: Policy) -> str:
        """As the aligner."""
        with self._reached():
            return self._aligner.revise(prompt, concepts, policy)

    @contextmanager
    def _reached(self) -> Iterator[None]:
        try:
            yield
        except LlmUnavailable as error:
            raise AlignerUnavailable(f"aligner {self.name}: {error}") from error
        except LlmRejected as error:
            if error.of_the_question:
                raise
            raise AlignerUnavailable(f"aligner {self.name}: {error}") from error


class AsWritten:
    """An aligner that judges and changes nothing: what the arm without text scrutiny has.

    Pictures are still repainted from a new wording, which is a part of their scrutiny. It knows a
    minor when it reads of one, because what happens to nude pictures hangs on that.
    """

    name = "as-written"
    version = "1"

    def __init__(self) -> None:
        self._rules = RuleAligner()

    def scrutinise(self, prompt: str, negative_prompt: str, policy: Policy) -> TextVerdict:
        """K0 for everything."""
        return TextVerdict(
            labels=frozenset({Label.K0}),
            score=0.0,
            explanation="Not judged: this arm has no text scrutiny.",
            prompt=prompt,
            negative_prompt=negative_prompt,
            minor=mentions_minor(read(prompt)),
        )

    def merge(
        self, verdict: TextVerdict, draws: Sequence[Sequence[AttributeDraw]], policy: Policy
    ) -> Alignment:
        """Every picture gets the prompt as it is."""
        picture = PicturePrompt(prompt=verdict.prompt)
        return Alignment(verdict=verdict, pictures=(picture,) * len(draws))

    def revise(self, prompt: str, concepts: frozenset[Concept], policy: Policy) -> str:
        """As the rule aligner does. Raises `AlignmentError` where it finds no wording."""
        return self._rules.revise(prompt, concepts, policy)
