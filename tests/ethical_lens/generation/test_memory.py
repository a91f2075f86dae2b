"""Batches that do not fit: the network refuses more pictures than a real device has room for."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from ethical_lens.generation.errors import OutOfMemory, UnusablePictures
from ethical_lens.generation.inpainter import Inpainter
from ethical_lens.generation.painter import Painter
from painting import levels, request


class SmallDevice:
    """Room for `pictures` at once. `tried` and `painted` count pictures, guidance taken off."""

    def __init__(self, pictures: int) -> None:
        self.pictures = pictures
        self.tried: list[int] = []
        self.painted: list[int] = []

    def __call__(self, _: Any, inputs: tuple[torch.Tensor, ...], __: Any) -> None:
        count = len(inputs[0]) // 2
        self.tried.append(count)
        if count > self.pictures:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 99 GiB")
        self.painted.append(count)


@pytest.fixture
def small(either_pipeline: Any) -> Iterator[SmallDevice]:
    device = SmallDevice(2)
    hook = either_pipeline.unet.register_forward_hook(device)
    yield device
    hook.remove()


def test_a_batch_that_does_not_fit_is_halved_until_it_does(
    either_pipeline: Any, small: SmallDevice, either: Painter, caplog: pytest.LogCaptureFixture
) -> None:
    wanted = [request(seed, negative_prompt="rain") for seed in range(7)]

    pictures = Painter(either_pipeline).paint(wanted)

    assert small.tried[:3] == [7, 4, 2], "7, half of it, half of that; then no more than fits"
    assert max(small.painted) == 2
    assert len(small.painted) == 4 * 4  # 2 + 2 + 2 + 1 pictures, four steps each
    assert "7 pictures do not fit" in caplog.text
    for one, picture in zip(wanted, pictures, strict=True):
        alone = either.paint([one])[0]
        assert np.abs(levels(picture) - levels(alone)).max() <= 1


def test_progress_ends_at_its_total_whatever_had_to_be_halved(
    either_pipeline: Any, small: SmallDevice
) -> None:
    told: list[tuple[int, int]] = []

    Painter(either_pipeline).paint(
        [request(seed) for seed in range(5)], lambda step, total: told.append((step, total))
    )

    assert told == [(step, 12) for step in range(1, 13)]  # three parts of four steps


def test_one_picture_that_does_not_fit_is_an_error_that_says_so(either_pipeline: Any) -> None:
    device = SmallDevice(0)
    either_pipeline.unet.register_forward_hook(device)

    with pytest.raises(OutOfMemory, match=r"64x64 do not fit in memory; ask for smaller ones"):
        Painter(either_pipeline).paint([request(1), request(2)])

    assert device.tried == [2, 1]


def test_a_run_can_be_ended_between_the_parts(either_pipeline: Any, small: SmallDevice) -> None:
    class Stop(Exception):
        pass

    def on_step(step: int, _: int) -> None:
        if step == 5:
            raise Stop

    with pytest.raises(Stop):
        Painter(either_pipeline).paint([request(seed) for seed in range(4)], on_step)

    assert len(small.painted) == 5  # one step of the second part, and no more


def test_a_broken_picture_keeps_its_place_in_a_halved_batch(pipeline: Any) -> None:
    pipeline.unet.register_forward_hook(SmallDevice(1))
    (word,) = pipeline.tokenizer("street", add_special_tokens=False).input_ids
    pipeline.text_encoder.get_input_embeddings().weight.data[word] = torch.nan

    with pytest.raises(UnusablePictures) as caught:
        Painter(pipeline).paint([request(1), request(2, prompt="a street"), request(3)])

    assert caught.value.pictures == (1,)


def test_inpainting_is_halved_too(either_pipeline: Any, small: SmallDevice) -> None:
    wanted = [request(seed) for seed in range(5)]
    size = (wanted[0].width, wanted[0].height)
    images = [Image.new("RGB", size, (40 * seed, 90, 120)) for seed in range(5)]
    masks = [Image.new("L", size, 255)] * 5
    inpainter, told = Inpainter(Painter(either_pipeline)), list[tuple[int, int]]()

    pictures = inpainter.repaint(
        wanted, images, masks, 1.0, lambda step, total: told.append((step, total))
    )

    assert max(small.painted) == 2
    assert told[-1] == (12, 12)  # 2 + 2 + 1 pictures, four steps each
    for one, image, picture in zip(wanted, images, pictures, strict=True):
        (alone,) = inpainter.repaint([one], [image], masks[:1], 1.0)
        assert np.abs(levels(picture) - levels(alone)).max() <= 1


def test_one_picture_that_cannot_be_inpainted_says_so(either_pipeline: Any) -> None:
    either_pipeline.unet.register_forward_hook(SmallDevice(0))
    size = (request(1).width, request(1).height)
    inpainter = Inpainter(Painter(either_pipeline))
    with pytest.raises(OutOfMemory, match="1 pictures of"):
        inpainter.repaint([request(1)], [Image.new("RGB", size)], [Image.new("L", size, 255)], 1.0)
