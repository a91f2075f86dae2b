"""Aligners by name, and the order in which a policy wants them tried."""

import logging
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from ethical_lens.policy import AlignerFailure, Policy
from ethical_lens.results import Alignment, AttributeDraw, Concept, TextVerdict
from ethical_lens.text.aligner import (
    LONGEST_PROMPT,
    AlignmentError,
    NotAPrompt,
    PromptAligner,
    PromptRefused,
    RevisesTogether,
    Unfit,
)
from ethical_lens.text.edits import rewrite_edits
from ethical_lens.text.rules import RuleAligner

logger = logging.getLogger(__name__)


def _llm() -> PromptAligner:
    from ethical_lens.text.llm.client import ChatClient  # it alone needs httpx
    from ethical_lens.text.llm.formats import aligner_of
    from ethical_lens.text.llm.settings import LlmSettings

    settings = LlmSettings.read()
    return aligner_of(LLM, ChatClient(settings), settings.format, settings.cache_size)


def _local_llm() -> PromptAligner:
    from ethical_lens.text.llm.errors import LlmNotConfigured
    from ethical_lens.text.llm.formats import aligner_of
    from ethical_lens.text.llm.settings import LocalLlmSettings

    settings = LocalLlmSettings.read()
    try:
        from ethical_lens.text.llm.local.model import LocalChatModel  # it alone needs torch
    except ModuleNotFoundError as error:
        raise LlmNotConfigured(
            f"{error.name} is not installed, which a language model in this process needs: "
            "pip install 'ethical-lens[models,local-llm]'"
        ) from error
    model = LocalChatModel.load(settings)
    return aligner_of(LOCAL_LLM, model, settings.format, settings.cache_size)


class MissingAligner:
    """An aligner that a policy names and that cannot be had: it fails whenever it is asked."""

    version = ""

    def __init__(self, name: str, why: str) -> None:
        self.name, self._why = name, why

    def scrutinise(self, prompt: str, negative_prompt: str, policy: Policy) -> TextVerdict:
        raise AlignmentError(self._why)

    def merge(
        self, verdict: TextVerdict, draws: Sequence[Sequence[AttributeDraw]], policy: Policy
    ) -> Alignment:
        raise AlignmentError(self._why)

    def revise(self, prompt: str, concepts: frozenset[Concept], policy: Policy) -> str:
        raise AlignmentError(self._why)


LLM: Final = "llm"
LOCAL_LLM: Final = "local-llm"

_ALIGNERS: Final[Mapping[str, Callable[[], PromptAligner]]] = MappingProxyType(
    {RuleAligner.name: RuleAligner, LLM: _llm, LOCAL_LLM: _local_llm}
)


def load_aligner(name: str) -> PromptAligner:
    """The aligner that policies call `name`. Raises `AlignmentError` for an unknown name, and for
    a language model where the environment does not say which, or it cannot be had."""
    if name not in _ALIGNERS:
        known = ", ".join(sorted(_ALIGNERS))
        raise AlignmentError(f"no aligner is called {name!r}; there is: {known}")
    return _ALIGNERS[name]()


def load_aligners(policy: Policy) -> tuple[PromptAligner, ...]:
    """All aligners of a policy, in its order. Raises `AlignmentError` for an unknown name."""
    return tuple(load_aligner(name) for name in policy.aligners)


def scrutinise_with(
    aligners: Sequence[PromptAligner], prompt: str, negative_prompt: str, policy: Policy
) -> tuple[TextVerdict, PromptAligner]:
    """The first verdict that can be reached, with its edits, and who reached it: the one to merge
    with.

    An aligner that raises `AlignmentError` hands over to the next, unless the policy wants its
    failure reviewed or blocked. Where none is left, raises `AlignmentError` with every reason:
    nobody judged, so nothing goes on; `PromptRefused` where the policy blocks. Other errors pass.
    Raises `NotAPrompt` where no aligner need be asked.
    """
    if not prompt.strip():
        raise NotAPrompt("the prompt is empty")
    if (length := max(len(prompt), len(negative_prompt))) > LONGEST_PROMPT:
        raise NotAPrompt(f"the prompt has {length} characters; at most {LONGEST_PROMPT} are judged")
    reasons: list[str] = []
    for aligner in aligners:
        try:
            verdict = aligner.scrutinise(prompt, negative_prompt, policy)
            return _with_edits(verdict, prompt, negative_prompt), aligner
        except AlignmentError as error:
            reasons.append(f"{aligner.name}: {error}")
            match policy.failure_of(aligner.name):
                case AlignerFailure.BLOCK:
                    raise PromptRefused("; ".join(reasons)) from error
                case AlignerFailure.REVIEW:
                    break
    raise AlignmentError("no aligner reached a verdict: " + ("; ".join(reasons) or "there is none"))


def revise_with(
    aligners: Sequence[PromptAligner], unfit: Sequence[Unfit], policy: Policy
) -> list[str | None]:
    """The first new wording that an aligner finds for each of `unfit`, in order; None where none
    does. Each aligner is asked, at most once, for what those before it did not find."""
    found: list[str | None] = [None] * len(unfit)
    for aligner in aligners:
        open_places = [place for place, text in enumerate(found) if text is None]
        if not open_places:
            break
        answers = _revised_by(aligner, [unfit[place] for place in open_places], policy)
        for place, answer in zip(open_places, answers, strict=True):
            if isinstance(answer, AlignmentError):
                logger.info("%s found no new wording: %s", aligner.name, answer)
            else:
                found[place] = answer
    return found


def _revised_by(
    aligner: PromptAligner, unfit: Sequence[Unfit], policy: Policy
) -> list[str | AlignmentError]:
    if isinstance(aligner, RevisesTogether):
        try:
            return aligner.revise_together(unfit, policy)
        except AlignmentError as error:
            return [error] * len(unfit)
    answers: list[str | AlignmentError] = []
    for one in unfit:
        try:
            answers.append(aligner.revise(one.prompt, one.concepts, policy))
        except AlignmentError as error:
            answers.append(error)
    return answers


def _with_edits(verdict: TextVerdict, prompt: str, negative_prompt: str) -> TextVerdict:
    if not verdict.rewritten:
        return verdict
    edits = {
        "edits": rewrite_edits(prompt, verdict.prompt, verdict),
        "negative_edits": rewrite_edits(negative_prompt, verdict.negative_prompt, verdict),
    }
    return verdict.model_copy(update=edits)
