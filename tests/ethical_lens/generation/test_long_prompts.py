"""Prompts of more tokens than CLIP reads at once: nothing of them is lost."""

from typing import Any

import numpy as np
import pytest
import torch

from ethical_lens.generation.long_prompts import PromptReader
from ethical_lens.generation.painter import Painter
from ethical_lens.generation.shape import Shape
from painting import levels, request
from random_models import TOKENIZER

LONG = ", ".join(["a doctor in the park"] * 30)
TAIL = LONG + ", a street"


def tokens(text: str) -> int:
    return len(TOKENIZER(text, truncation=False, verbose=False).input_ids)


def test_the_prompts_of_this_file_are_too_long_for_one_reading() -> None:
    assert tokens(LONG) > TOKENIZER.model_max_length


def test_the_end_of_a_long_prompt_counts(either: Painter) -> None:
    one, other = either.paint([request(3, prompt=LONG), request(3, prompt=TAIL)])

    assert np.abs(levels(one) - levels(other)).max() > 1


def test_the_end_of_a_long_negative_prompt_counts(either: Painter) -> None:
    one, other = either.paint([request(3, negative_prompt=LONG), request(3, negative_prompt=TAIL)])

    assert np.abs(levels(one) - levels(other)).max() > 1


def test_a_picture_does_not_depend_on_longer_or_shorter_neighbours(either: Painter) -> None:
    wanted = [request(3), request(4, prompt=LONG), request(5, prompt=LONG + LONG)]
    together = either.paint([*wanted, request(6, negative_prompt=LONG)])

    for one, picture in zip(wanted, together, strict=False):
        difference = np.abs(levels(picture) - levels(either.paint([one])[0]))
        assert difference.max() <= 1


def test_a_prompt_of_one_reading_is_painted_as_the_pipeline_alone_does(
    either_pipeline: Any, either: Painter
) -> None:
    plain = either_pipeline(
        prompt=["a doctor"], negative_prompt=[""], num_inference_steps=4, guidance_scale=5.0,
        width=64, height=64, generator=torch.Generator("cpu").manual_seed(3),
    ).images[0]  # fmt: skip

    assert np.abs(levels(plain) - levels(either.paint([request(3)])[0])).max() <= 1


def test_pieces_hold_every_word_in_order_and_fit(pipeline: Any) -> None:
    reader = PromptReader(pipeline, Shape.of(type(pipeline)))
    text = f"{TAIL} {'x' * 400} the end"

    pieces = reader._pieces(text)

    assert "".join(pieces).replace(" ", "") == text.replace(" ", "")
    assert all(tokens(piece) <= TOKENIZER.model_max_length for piece in pieces)
    assert len(pieces) < 2 * tokens(text) / TOKENIZER.model_max_length + 2, "pieces are filled"


def test_embeddings_are_those_of_the_pieces_by_the_encoder_itself(pipeline: Any) -> None:
    reader = PromptReader(pipeline, Shape.of(type(pipeline)))
    wanted = request(1, prompt=TAIL)
    longest = TOKENIZER.model_max_length

    arguments = reader.arguments([wanted])

    by_hand = [
        pipeline.text_encoder(
            TOKENIZER(piece, padding="max_length", return_tensors="pt").input_ids
        )[0][0]
        for piece in reader._pieces(TAIL)
    ]
    assert torch.allclose(arguments["prompt_embeds"][0], torch.cat(by_hand), atol=1e-5)
    nothing = arguments["negative_prompt_embeds"][0]
    assert nothing.shape == arguments["prompt_embeds"][0].shape
    assert torch.equal(nothing[:longest], nothing[longest : 2 * longest])


def test_a_long_prompt_without_guidance(either: Painter) -> None:
    one, other = either.paint(
        [request(3, prompt=p, guidance_scale=1.0, negative_prompt="rain") for p in (LONG, TAIL)]
    )

    assert np.abs(levels(one) - levels(other)).max() > 0


def test_nothing_is_cut_silently(either: Painter, caplog: pytest.LogCaptureFixture) -> None:
    import logging

    from diffusers.utils.logging import get_logger

    logger = get_logger("diffusers")
    logger.addHandler(caplog.handler)
    try:
        with caplog.at_level(logging.WARNING):
            either.paint([request(3, prompt=TAIL, negative_prompt=LONG)])
    finally:
        logger.removeHandler(caplog.handler)

    assert "truncated" not in caplog.text
