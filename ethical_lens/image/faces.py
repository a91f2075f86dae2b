"""The face reader: where the faces of a picture are, and what each looks like.

A detector says for every cell of a picture whether the middle of a face is there and how far its
sides are (anchor-free, after Zhou et al., "Objects as Points", 2019); a classifier reads a crop
around each face. Both are small and trained together with the miniature world; another pair with
the same files takes their place.
"""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Self, TypeVar

import numpy as np
import torch
from PIL import Image
from pydantic import Field
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional
from torchvision.ops import batched_nms

from ethical_lens.device import resolve_device
from ethical_lens.image.errors import ModelFailed, ScrutinyUnavailable, failures_translated
from ethical_lens.image.reading import as_picture
from ethical_lens.image.readings import Box, Distribution, FaceReading
from ethical_lens.loading import LOAD_FAILURES
from ethical_lens.results import LifeStage, Value
from ethical_lens.sources import DeviceName, SourcesError

T = TypeVar("T")

STRIDE: Final = 4
"""Side of the detector's cells, in pixels of the picture it is given."""
CONFIG, DETECTOR, CLASSIFIER = "config.json", "detector.safetensors", "classifier.safetensors"
_DOWN: Final = 8  # the detector needs sides that this divides
_LONGEST: Final = 16  # times the shorter side; what is longer still is squeezed


class FacesConfig(Value):
    """`side`: pictures are resized until their shorter side has this many pixels.

    `crop`: pixels of the square the classifier looks at, `margin` times as large as the face.
    `overlap`: of two boxes that share more than this (IoU), the surer one stays.
    """

    genders: tuple[str, ...] = Field(min_length=1)
    races: tuple[str, ...] = Field(min_length=1)
    stages: tuple[LifeStage, ...] = Field(min_length=1)
    side: int = Field(default=96, ge=16)
    crop: int = Field(default=48, ge=16)
    margin: float = Field(default=1.7, ge=1.0)
    threshold: float = Field(default=0.5, gt=0.0, le=1.0)
    overlap: float = Field(default=0.4, gt=0.0, le=1.0)


class FaceReader:
    """Finds and reads faces. Load it once per process."""

    def __init__(
        self,
        config: FacesConfig,
        detector: "FaceDetector",
        classifier: "FaceClassifier",
        device: torch.device,
    ) -> None:
        self._config = config
        self._detector = detector.eval().requires_grad_(False).to(device)
        self._classifier = classifier.eval().requires_grad_(False).to(device)
        self._device = device

    @classmethod
    def load(cls, folder: Path, device: DeviceName = "auto") -> Self:
        """Load `config.json`, `detector.safetensors` and `classifier.safetensors` of `folder`.

        Raises `ScrutinyUnavailable` with what is missing and how to get it.
        """
        try:
            on = resolve_device(device)
            config = FacesConfig.model_validate(json.loads((folder / CONFIG).read_text("utf-8")))
            with torch.random.fork_rng(devices=[]):
                detector, classifier = FaceDetector(), FaceClassifier(config)
            _fill(detector, folder / DETECTOR)
            _fill(classifier, folder / CLASSIFIER)
        except SourcesError as error:
            raise ScrutinyUnavailable(str(error)) from error
        except LOAD_FAILURES as error:
            raise ScrutinyUnavailable(
                f"faces: {folder} cannot be loaded as a face reader: {error}\n"
                f"It holds {CONFIG}, {DETECTOR} and {CLASSIFIER}; "
                "`make mini-models` makes them."
            ) from error
        return cls(config, detector, classifier, on)

    @torch.inference_mode()
    def read(self, images: Sequence[Image.Image]) -> list[tuple[FaceReading, ...]]:
        """The faces of each picture from left to right; none found gives an empty tuple.

        One pass of each model over all `images`, of any size. Raises
        `UnreadablePicture` as `as_picture` does, `ModelFailed` where a model fails or its numbers
        are not finite.
        """
        if not images:
            return []
        images = [as_picture(image) for image in images]
        with failures_translated("reading faces"):
            pictures, sizes = self._resized(images)
            which, boxes, scores = self._found(pictures, sizes)
            if not len(which):
                return [()] * len(images)
            odds = self._classifier(
                crops(pictures, which, boxes, self._config.crop, self._config.margin)
            )
            if not all(torch.isfinite(part).all() for part in odds):
                raise ModelFailed("the numbers of the face classifier are not finite")
            gender, race, stage = (part.softmax(1).tolist() for part in odds)
        readings: list[list[FaceReading]] = [[] for _ in images]
        for row, image in enumerate(which.tolist()):
            readings[image].append(
                FaceReading(
                    _in_pixels(boxes[row], images[image], sizes[image]),
                    scores[row].item(),
                    _distribution(self._config.genders, gender[row]),
                    _distribution(self._config.races, race[row]),
                    _distribution(self._config.stages, stage[row]),
                )
            )
        return [tuple(sorted(some, key=lambda face: face.box)) for some in readings]

    def _resized(self, images: Sequence[Image.Image]) -> tuple[torch.Tensor, list[tuple[int, int]]]:
        """Pictures (n, 3, h, w), 0 to 1, padded to one size; width and height of each."""
        small = [self._small(image) for image in images]
        width, height = (
            math.ceil(max(picture.shape[axis] for picture in small) / _DOWN) * _DOWN
            for axis in (2, 1)
        )
        batch = torch.full((len(small), 3, height, width), 0.5)
        for row, picture in zip(batch, small, strict=True):
            row[:, : picture.shape[1], : picture.shape[2]] = picture
        return batch.to(self._device), [(p.shape[2], p.shape[1]) for p in small]

    def _small(self, image: Image.Image) -> torch.Tensor:
        side, shorter = self._config.side, min(image.size)
        size = tuple(min(round(length * side / shorter), side * _LONGEST) for length in image.size)
        if image.size != size:
            image = image.resize((size[0], size[1]), Image.Resampling.BOX)
        return torch.from_numpy(np.array(image)).permute(2, 0, 1).float() / 255

    def _found(
        self, pictures: torch.Tensor, sizes: Sequence[tuple[int, int]]
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Of each face its picture (k,), box (k, 4) in pixels of `pictures`, and score (k,)."""
        logits, sides = self._detector(pictures)
        if not (torch.isfinite(logits).all() and torch.isfinite(sides).all()):
            raise ModelFailed("the numbers of the face detector are not finite")
        scores = torch.sigmoid(logits)
        which, row, column = (scores >= self._config.threshold).nonzero().unbind(1)
        scores = scores[which, row, column]
        middle = torch.stack([column, row], 1).to(sides) * STRIDE + STRIDE / 2
        away = sides[which, :, row, column]
        boxes = torch.cat([middle - away[:, :2], middle + away[:, 2:]], 1)
        # What looks like a face beyond the picture, in the padding, is none.
        limits = torch.tensor(sizes, device=boxes.device, dtype=boxes.dtype)[which]
        kept = (middle < limits).all(1).nonzero().squeeze(1)
        kept = kept[batched_nms(boxes[kept], scores[kept], which[kept], self._config.overlap)]
        boxes = torch.minimum(boxes.clamp_min(0), limits.repeat(1, 2))
        return which[kept], boxes[kept], scores[kept]


def crops(
    pictures: torch.Tensor, which: torch.Tensor, boxes: torch.Tensor, side: int, margin: float
) -> torch.Tensor:
    """Squares (k, 3, side, side) around `boxes` (k, 4) of `pictures[which]` (n, 3, h, w).

    A square is `margin` times as large as the longer side of its box; beyond the picture it
    repeats the border.
    """
    size = torch.tensor(pictures.shape[:1:-1], device=boxes.device, dtype=boxes.dtype)
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]).amax(1, keepdim=True) * margin / 2
    theta = torch.zeros(len(boxes), 2, 3, device=boxes.device)
    theta[:, [0, 1], [0, 1]] = 2 * half / size
    theta[:, :, 2] = 2 * middle / size - 1
    grid = functional.affine_grid(theta, [len(boxes), 3, side, side], align_corners=False)
    return functional.grid_sample(pictures[which], grid, padding_mode="border", align_corners=False)


class FaceDetector(nn.Module):
    """Pictures (n, 3, h, w), 0 to 1, sides divisible by 8: for each cell of 4 x 4 pixels a logit
    (n, h/4, w/4) and the distances (n, 4, h/4, w/4) in pixels from its middle to the face's left,
    top, right and bottom."""

    def __init__(self) -> None:
        super().__init__()
        self.near = nn.Sequential(_conv(3, 16, stride=2), _conv(16, 32, stride=2), _conv(32, 32))
        self.far = nn.Sequential(
            _conv(32, 64, stride=2), *(_conv(64, 64, dilation=d) for d in (1, 2, 1))
        )
        self.join = nn.Conv2d(64, 32, 1)
        answers = nn.Conv2d(32, 5, 1)
        nn.init.constant_(answers.bias[:1], -5.0)  # type: ignore[index]  # faces are rare
        self.out = nn.Sequential(_conv(32, 32), answers)

    def forward(self, pictures: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        near = self.near(2 * pictures - 1)
        far = functional.interpolate(self.join(self.far(near)), scale_factor=2.0, mode="nearest")
        out = self.out(near + far)
        return out[:, 0], functional.softplus(out[:, 1:].float()) * 2 * STRIDE


class FaceClassifier(nn.Module):
    """Crops (k, 3, side, side), 0 to 1, to logits of gender, race and life stage."""

    def __init__(self, config: FacesConfig) -> None:
        super().__init__()
        self._parts = (len(config.genders), len(config.races), len(config.stages))
        self.body = nn.Sequential(
            _conv(3, 32, stride=2), _conv(32, 48), _conv(48, 64, stride=2), _conv(64, 64),
            _conv(64, 96, stride=2), _conv(96, 96), nn.Flatten(),
        )  # fmt: skip
        self.heads = nn.Linear(96 * math.ceil(config.crop / 8) ** 2, sum(self._parts))

    def forward(self, faces: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        gender, race, stage = self.heads(self.body(2 * faces - 1)).split(self._parts, 1)
        return gender, race, stage


def _conv(before: int, after: int, *, stride: int = 1, dilation: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, 3, stride, dilation, dilation, bias=False),
        nn.BatchNorm2d(after),
        nn.SiLU(inplace=True),
    )


def _fill(module: nn.Module, file: Path) -> None:
    module.load_state_dict(load_file(file))
    if not all(torch.isfinite(value).all() for value in module.state_dict().values()):
        raise ValueError(f"{file.name} holds weights that are not finite")


def _in_pixels(box: torch.Tensor, image: Image.Image, size: tuple[int, int]) -> Box:
    """A box in pixels of the resized picture, in those of `image`."""
    x, y = image.width / size[0], image.height / size[1]
    left, top, right, bottom = box.tolist()
    return left * x, top * y, right * x, bottom * y


def _distribution(names: Sequence[T], shares: Sequence[float]) -> Distribution[T]:
    return Distribution(dict(zip(names, shares, strict=True)))
