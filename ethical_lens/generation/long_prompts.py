"""Prompts that are longer than a text encoder reads at once.

CLIP reads 77 tokens, start and end among them, and diffusers drops the rest with a warning. Here a
longer prompt is cut into pieces that fit, at spaces; each piece is encoded by itself and the
embeddings are joined, which cross-attention takes at any length (the way of AUTOMATIC1111's web
UI).
"""

import inspect
from collections.abc import Sequence
from typing import Any

import torch
from transformers import CLIPTokenizer

from ethical_lens.generation.errors import PromptTooLong
from ethical_lens.generation.request import PaintRequest
from ethical_lens.generation.shape import Shape

_TOKENIZERS = ("tokenizer", "tokenizer_2", "tokenizer_3", "tokenizer_4")


class PromptReader:
    """Cuts and encodes the prompts of one pipeline.

    Pipelines that read with one or two CLIP encoders (Stable Diffusion, SDXL) get embeddings of
    any length. Others read at most what their longest tokenizer takes.
    """

    def __init__(self, pipeline: Any, shape: Shape) -> None:
        self._pipeline, self._shape = pipeline, shape
        given = {name: getattr(pipeline, name, None) for name in _TOKENIZERS}
        self._tokenizers = [one for one in given.values() if one is not None]
        self._joins = (
            bool(self._tokenizers)
            and all(isinstance(one, CLIPTokenizer) for one in self._tokenizers)
            and not {"tokenizer_3", "tokenizer_4"} & set(pipeline.components)
            and shape.takes("prompt_embeds")
        )

    def windows(self, request: PaintRequest) -> int:
        """How many pieces the longer of the request's prompts takes: 1 is read as it is.

        Pictures are painted together only where this is the same, so that none is conditioned on
        padding that its neighbours need. Raises `PromptTooLong`.
        """
        texts = (request.prompt, request.negative_prompt)
        if self._joins:
            return max(len(self._pieces(text)) for text in texts)
        for text in texts:
            self._must_fit(text)
        return 1

    @torch.no_grad()
    def arguments(self, requests: Sequence[PaintRequest]) -> dict[str, Any]:
        """The call arguments that carry the prompts of `requests`, which have as many windows."""
        prompts = [request.prompt for request in requests]
        # Always a list: SDXL treats None and "" unlike, which would make one picture depend on
        # whether its neighbours have a negative prompt.
        negative = [request.negative_prompt for request in requests]
        windows = self.windows(requests[0])
        if windows == 1:
            return {
                "prompt": prompts,
                **({"negative_prompt": negative} if self._shape.takes("negative_prompt") else {}),
            }
        wanted = {"prompt_embeds": prompts}
        if self._shape.takes("negative_prompt_embeds"):
            wanted["negative_prompt_embeds"] = negative
        arguments: dict[str, Any] = {}
        for name, texts in wanted.items():
            embeddings, pooled = self._encode(texts, windows)
            arguments[name] = embeddings
            if pooled is not None:
                arguments[name.replace("prompt_embeds", "pooled_prompt_embeds")] = pooled
        return arguments

    def _encode(
        self, texts: Sequence[str], windows: int
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Embeddings (n, windows * 77, d); of SDXL also the pooled ones (n, e) of first windows."""
        pieces = [piece for text in texts for piece in _filled(self._pieces(text), windows)]
        encoded = self._pipeline.encode_prompt(
            prompt=pieces,
            device=self._pipeline._execution_device,
            num_images_per_prompt=1,
            do_classifier_free_guidance=False,
        )
        embeddings = encoded[0]
        joined = embeddings.reshape(len(texts), -1, embeddings.shape[-1])
        return joined, encoded[2][::windows] if len(encoded) == 4 else None

    def _pieces(self, text: str) -> list[str]:
        """`text` in pieces that every tokenizer reads whole; a single word that none does is cut
        between letters."""
        if self._fits(text):
            return [text]
        pieces: list[str] = []
        for word in text.split():
            joined = f"{pieces[-1]} {word}" if pieces else word
            if self._fits(joined):
                pieces[-1:] = [joined]
            else:
                pieces += self._cut(word)
        return pieces

    def _cut(self, word: str) -> list[str]:
        if self._fits(word) or len(word) == 1:
            return [word]
        middle = len(word) // 2
        return self._cut(word[:middle]) + self._cut(word[middle:])

    def _fits(self, text: str) -> bool:
        return all(_tokens(one, text) <= one.model_max_length for one in self._tokenizers)

    def _must_fit(self, text: str) -> None:
        read = [(_tokens(one, text), self._limit(one)) for one in self._tokenizers]
        if read and all(tokens > limit for tokens, limit in read):
            tokens, limit = max(read, key=lambda pair: pair[1])
            raise PromptTooLong(
                f"a prompt has {tokens} tokens; {self._shape.name} reads at most {limit}: "
                "shorten it"
            )

    def _limit(self, tokenizer: Any) -> int:
        """What the pipeline reads with `tokenizer`, start and end included."""
        longest = inspect.signature(type(self._pipeline).__call__).parameters.get(
            "max_sequence_length"
        )
        if longest is None or isinstance(tokenizer, CLIPTokenizer):
            return int(tokenizer.model_max_length)
        return int(longest.default)


def _filled(pieces: list[str], windows: int) -> list[str]:
    return pieces + [""] * (windows - len(pieces))


def _tokens(tokenizer: Any, text: str) -> int:
    """With start and end."""
    return len(tokenizer(text, truncation=False, verbose=False).input_ids)
