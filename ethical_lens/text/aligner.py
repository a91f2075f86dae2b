"""What every aligner is: the two calls that the method makes on text, and their failure."""

from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol, runtime_checkable

from ethical_lens.policy import Policy
from ethical_lens.results import Alignment, AttributeDraw, Concept, TextVerdict

LONGEST_PROMPT: Final = 2000
"""Characters of a prompt, and of a negative prompt."""


class AlignmentError(Exception):
    """Text scrutiny could not come to a verdict. The prompt goes to a person, never on."""


class PromptRefused(AlignmentError):
    """There is no verdict, and the policy blocks a prompt for want of one."""


class NotAPrompt(AlignmentError):
    """The prompt is empty, or longer than `LONGEST_PROMPT`. There is nothing to judge."""


class UnreadablePrompt(AlignmentError):
    """The prompt is in a language or script that this aligner cannot judge."""


class UnreadableReply(AlignmentError):
    """A model's reply did not fit the schema. Nothing in it was executed or believed."""


class Unfit(NamedTuple):
    """The prompt of a picture that showed `concepts`."""

    prompt: str
    concepts: frozenset[Concept]


class PromptAligner(Protocol):
    """Judges and rewrites prompts. Implementations hold no state of any one request."""

    name: str
    """The name a policy's `aligners` uses."""

    version: str
    """Changes whenever the same prompt might be judged otherwise; recorded with decisions."""

    def scrutinise(self, prompt: str, negative_prompt: str, policy: Policy) -> TextVerdict:
        """Judge `prompt` (1 to 2,000 characters) and `negative_prompt` (may be empty).

        Raises `AlignmentError` where no verdict can be reached.
        """

    def merge(
        self, verdict: TextVerdict, draws: Sequence[Sequence[AttributeDraw]], policy: Policy
    ) -> Alignment:
        """One prompt per picture: `draws[i]` is merged into picture i's copy of the prompt.

        Raises `AlignmentError` where the reply of a model cannot be used.
        """

    def revise(self, prompt: str, concepts: frozenset[Concept], policy: Policy) -> str:
        """A new wording of one picture's `prompt` after its picture showed `concepts`.

        Raises `AlignmentError` where no wording without them can be found.
        """


@runtime_checkable
class RevisesTogether(Protocol):
    """An aligner for which a question costs a call, and that words several pictures anew in one."""

    def revise_together(self, unfit: Sequence[Unfit], policy: Policy) -> list[str | AlignmentError]:
        """For each of `unfit`, in order, what `PromptAligner.revise` gives or would raise.

        Raises `AlignmentError` where no answer can be had for any of them.
        """
