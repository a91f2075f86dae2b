"""What a model may write, and for how long: applied at every token.

The grammar is llguidance's (https://github.com/guidance-ai/llguidance), which computes the mask of
allowed tokens per step instead of an automaton over the whole vocabulary beforehand.
"""

import time
from collections.abc import Collection, Mapping
from typing import Any

import llguidance
import llguidance.hf
import torch
from transformers import LogitsProcessor, StoppingCriteria

from ethical_lens.text.aligner import UnreadableReply
from ethical_lens.text.llm.errors import LlmUnavailable


class Grammars:
    """Makes constraints for one tokenizer, whose vocabulary is read once.

    `vocabulary` is the number of logits, which may exceed the number of tokens; `ends` are the
    tokens that end an answer.
    """

    def __init__(self, tokenizer: Any, vocabulary: int, ends: Collection[int]) -> None:
        self._tokenizer = llguidance.hf.from_tokenizer(
            tokenizer, n_vocab=vocabulary, eos_token=sorted(ends)
        )

    def json(self, schema: Mapping[str, Any]) -> "Constraint":
        """A constraint to JSON of `schema` without white space between its parts."""
        grammar = llguidance.LLMatcher.grammar_from_json_schema(
            dict(schema), overrides={"whitespace_flexible": False}
        )
        return Constraint(llguidance.LLMatcher(self._tokenizer, grammar, log_level=0))


class Constraint(LogitsProcessor):
    """Leaves only the tokens that a grammar allows. For one answer: it follows what was written.

    Calling it raises `UnreadableReply` where the grammar cannot go on.
    """

    def __init__(self, matcher: llguidance.LLMatcher) -> None:
        self._matcher = matcher
        self._read: int | None = None

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """`input_ids` of shape (1, tokens so far), `scores` (1, vocabulary) of the next token."""
        (tokens,) = input_ids.tolist()
        if self._read is not None:
            self._matcher.consume_tokens(tokens[self._read :])  # an error stays, see below
        self._read = len(tokens)
        allowed = torch.frombuffer(
            bytearray(self._matcher.compute_logit_bias()), dtype=torch.uint8
        ).to(scores.device)
        if self._matcher.is_error() or len(allowed) != scores.shape[1]:
            raise UnreadableReply("the answer cannot be held to its schema")
        return scores.masked_fill(allowed == 0, float("-inf"))


class Numbers(LogitsProcessor):
    """Raises `LlmUnavailable` where a model computes NaN, of which any token may come out."""

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """As of `Constraint`; the scores are left as they are."""
        if scores.isnan().any():
            raise LlmUnavailable("the model computed no numbers")
        return scores


class Deadline(StoppingCriteria):
    """Raises `LlmUnavailable` at the first token after `end`, in seconds of `time.monotonic`."""

    def __init__(self, end: float) -> None:
        self._end = end

    def __call__(
        self, input_ids: torch.Tensor, scores: torch.Tensor, **arguments: object
    ) -> torch.Tensor:
        if time.monotonic() > self._end:
            raise LlmUnavailable("the model did not finish its answer in time")
        return torch.zeros(len(input_ids), dtype=torch.bool, device=input_ids.device)
