"""What a face looks like, read from a crop around it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Self, TypeVar

import torch
from PIL import Image
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional
from torchvision.models import resnet34
from torchvision.transforms import functional as pictures

from ethical_lens.device import resolve_device
from ethical_lens.image.encoder import ImageEncoder, load_tokenizer
from ethical_lens.image.errors import ScrutinyUnavailable, failures_translated
from ethical_lens.image.readings import Attributes, Distribution
from ethical_lens.loading import LOAD_FAILURES
from ethical_lens.results import LifeStage
from ethical_lens.sources import ClipSource, DeviceName, SourcesError

T = TypeVar("T")

GENDERS: Final = {"male": "a male person", "female": "a female person"}
RACES: Final = {
    "White": "a White person",
    "Black": "a Black person",
    "Latino-Hispanic": "a Hispanic person",
    "Asian": "an Asian person",
    "Middle Eastern": "a Middle Eastern person",
}
STAGES: Final = {
    LifeStage.INFANCY: "a baby",
    LifeStage.CHILDHOOD: "a child",
    LifeStage.ADOLESCENCE: "a teenager",
    LifeStage.YOUNG_ADULTHOOD: "a young adult",
    LifeStage.MIDDLE_AGE: "a middle-aged person",
    LifeStage.OLD_AGE: "an old person",
}
"""What the encoder of scrutiny is asked about each value that a policy can draw by default."""


class ClipAttributes:
    """Zero-shot (Radford et al. 2021): which of a few texts is nearest to the crop?

    A crude reader, and the one that costs no model. It is never right about a value that has no
    text here, and so knows only the default pools.
    """

    def __init__(self, encoder: ImageEncoder, tokenizer: Any) -> None:
        self._encoder = encoder
        self._texts = [
            functional.normalize(
                encoder.encode_texts(tokenizer([f"a photo of {text}" for text in some])), dim=-1
            )
            for some in (GENDERS.values(), RACES.values(), STAGES.values())
        ]

    @classmethod
    def load(cls, source: ClipSource, encoder: ImageEncoder) -> Self:
        """`encoder` is that of `source`, loaded already. Raises `ScrutinyUnavailable`."""
        tokenizer = load_tokenizer(source)
        try:
            return cls(encoder, tokenizer)
        except LOAD_FAILURES as error:
            raise ScrutinyUnavailable(
                f"faces: the text encoder of {source.architecture} cannot read texts about faces: "
                f"{error}\nName a face reader in `faces`."
            ) from error

    def read(self, crops: Sequence[Image.Image]) -> list[Attributes]:
        """Raises `ModelFailed` where the encoder fails."""
        with failures_translated("reading faces"):
            seen = functional.normalize(self._encoder.encode(crops), dim=-1)
            odds = [
                (self._encoder.logit_scale * seen @ texts.T).softmax(1) for texts in self._texts
            ]
            return _answers(odds)


FAIRFACE_RACES: Final = (
    "White", "Black", "Latino-Hispanic", "Asian", "Asian", "Asian", "Middle Eastern",
)  # fmt: skip
FAIRFACE_STAGES: Final = (
    LifeStage.INFANCY, LifeStage.CHILDHOOD, LifeStage.ADOLESCENCE,
    LifeStage.YOUNG_ADULTHOOD, LifeStage.YOUNG_ADULTHOOD, LifeStage.MIDDLE_AGE,
    LifeStage.MIDDLE_AGE, LifeStage.OLD_AGE, LifeStage.OLD_AGE,
)  # fmt: skip
"""What FairFace's classes are in the tables of this project. Its fourth to sixth race are East
Asian, Southeast Asian and Indian; its ages 0-2, 3-9, 10-19 and then decades to 70+."""
_SIDE: Final = 224
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet, as it was trained


class FairFaceAttributes:
    """FairFace's ResNet-34 (Kärkkäinen & Joo 2021), e.g. `res34_fair_align_multi_7_20190809.pt` of
    github.com/joojs/fairface: 18 logits, of 7 races, 2 genders and 9 ages.

    It was trained on faces turned upright; here they are taken as they stand.
    """

    def __init__(self, network: nn.Module, device: torch.device) -> None:
        self._network = network.eval().requires_grad_(False).to(device)
        self._device = device

    @classmethod
    def load(cls, file: Path, device: DeviceName = "auto") -> Self:
        """Load a state dict, safetensors or `.pt`; pickled code in it is never run.

        Raises `ScrutinyUnavailable` where it is damaged or another network's.
        """
        try:
            on = resolve_device(device)
            if file.suffix == ".safetensors":
                state = load_file(file)
            else:
                state = torch.load(file, map_location="cpu", weights_only=True)
            with torch.random.fork_rng(devices=[]):
                network = resnet34(num_classes=18)
            network.load_state_dict(state)
        except SourcesError as error:
            raise ScrutinyUnavailable(str(error)) from error
        except LOAD_FAILURES as error:
            raise ScrutinyUnavailable(
                f"faces: {file} does not hold the weights of FairFace's ResNet-34 with 18 outputs: "
                f"{error}"
            ) from error
        if not all(torch.isfinite(value).all() for value in network.state_dict().values()):
            raise ScrutinyUnavailable(f"faces: {file} holds weights that are not finite")
        return cls(network, on)

    @torch.inference_mode()
    def read(self, crops: Sequence[Image.Image]) -> list[Attributes]:
        """Raises `ModelFailed` where the network fails."""
        with failures_translated("reading faces"):
            batch = torch.stack([_prepared(crop) for crop in crops]).to(self._device)
            race, gender, age = self._network(batch).float().cpu().split([7, 2, 9], 1)
            return _answers(
                [
                    gender.softmax(1),
                    _summed(race.softmax(1), FAIRFACE_RACES, tuple(RACES)),
                    _summed(age.softmax(1), FAIRFACE_STAGES, tuple(STAGES)),
                ]
            )


def _prepared(crop: Image.Image) -> torch.Tensor:
    tensor = pictures.to_tensor(crop.convert("RGB").resize((_SIDE, _SIDE)))
    normal: torch.Tensor = pictures.normalize(tensor, _MEAN, _DEVIATION)
    return normal


def _summed(odds: torch.Tensor, classes: Sequence[T], values: Sequence[T]) -> torch.Tensor:
    """Odds (n, classes) of a model's classes as those (n, values) of the values they belong to."""
    belongs = torch.tensor([[float(one == value) for value in values] for one in classes])
    return odds @ belongs


def _answers(odds: Sequence[torch.Tensor]) -> list[Attributes]:
    gender, race, stage = odds
    return [
        (_named(GENDERS, gender[row]), _named(RACES, race[row]), _named(STAGES, stage[row]))
        for row in range(len(gender))
    ]


def _named(values: Mapping[T, str], odds: torch.Tensor) -> Distribution[T]:
    return Distribution(dict(zip(values, odds.tolist(), strict=True)))
