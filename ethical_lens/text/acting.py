"""From a verdict on a prompt to what is painted, as the policy wants it."""

from collections.abc import Callable, Sequence

from ethical_lens.decide import decide_text
from ethical_lens.policy import Policy
from ethical_lens.results import Alignment, AttributeDraw, TextAction, TextVerdict
from ethical_lens.text.aligner import PromptAligner

DrawPictures = Callable[[TextVerdict], Sequence[Sequence[AttributeDraw]]]
"""Draws per picture for the people of a verdict."""


def act_on(
    verdict: TextVerdict,
    prompt: str,
    negative_prompt: str,
    policy: Policy,
    judge: PromptAligner,
    draw: DrawPictures,
) -> Alignment:
    """What is painted of `prompt`, on which `judge` reached `verdict`; no picture where the policy
    blocks it or wants a person to look.

    What the policy allows although it was to be rewritten is painted as it was written, and nobody
    in it is drawn: the verdict speaks of the people in its rewrite.

    Raises `AlignmentError` as the judge's `merge` does.
    """
    action = decide_text(verdict, policy).action
    if action in {TextAction.BLOCK, TextAction.REVIEW}:
        return Alignment(verdict=verdict)
    if action is TextAction.ALLOW and verdict.rewritten:
        verdict = verdict.model_copy(
            update={
                "prompt": prompt, "negative_prompt": negative_prompt,
                "edits": (), "negative_edits": (), "clusters": (),
            }
        )  # fmt: skip
    return judge.merge(verdict, draw(verdict), policy)
