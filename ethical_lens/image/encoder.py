"""The frozen open_clip image encoder that all heads share (fault F6: the reference held five)."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import open_clip
import torch
from PIL import Image
from safetensors import safe_open

from ethical_lens.finding import HUB_ID
from ethical_lens.image.errors import ScrutinyUnavailable
from ethical_lens.image.reading import as_picture
from ethical_lens.loading import LOAD_FAILURES
from ethical_lens.sources import CLIP_FILES, ClipSource


class ImageEncoder:
    """Images in, un-normalised features out: float32, whatever the encoder computes with.

    `dimension` is the number of features (768 for ViT-L/14).
    """

    def __init__(self, model: Any, preprocess: Any, device: torch.device) -> None:
        self._model = model
        self._preprocess = preprocess
        self._device = device
        self._dtype = model.text_projection.dtype
        self.dimension = int(model.text_projection.shape[-1])

    @classmethod
    def load(
        cls, source: ClipSource, device: torch.device, dtype: torch.dtype = torch.float32
    ) -> Self:
        """Load the checkpoint; pickled code in it is never run.

        Raises `ScrutinyUnavailable` as `load_clip` does.
        """
        model, preprocess = load_clip(source, device, dtype)
        return cls(model, preprocess, device)

    @torch.inference_mode()
    def encode(self, images: Sequence[Image.Image]) -> torch.Tensor:
        """Features, float32 (n, `dimension`), on the CPU, in one pass over all `images`.

        Each image is resized to the encoder's size along its shorter side and cropped to the
        centre square (see `views` for what that leaves out).
        """
        if not images:
            return torch.empty(0, self.dimension)
        batch = torch.stack([self._preprocess(as_picture(image)) for image in images])
        batch = batch.to(self._device, self._dtype)
        features: torch.Tensor = self._model.encode_image(batch, normalize=False)
        return features.float().cpu()

    @property
    def logit_scale(self) -> float:
        """What similarities are multiplied with before their softmax; 100 for OpenAI's CLIP."""
        return float(self._model.logit_scale.exp())

    @torch.inference_mode()
    def encode_texts(self, tokens: torch.Tensor) -> torch.Tensor:
        """Features of tokenised texts, float32 (n, `dimension`), on the CPU, not normalised."""
        features: torch.Tensor = self._model.encode_text(tokens.to(self._device))
        return features.float().cpu()


def load_tokenizer(source: ClipSource) -> Any:
    """What turns texts into tokens for the text encoder of `source`.

    Raises `ScrutinyUnavailable` where there is none for its architecture.
    """
    path = Path(source.checkpoint)
    folder = path if path.is_dir() else path.parent
    # A folder with its own configuration has its own tokenizer too.
    own = (folder / "open_clip_config.json").is_file()
    if source.config is not None:
        open_clip.add_model_config(source.config)
    try:
        return open_clip.get_tokenizer(
            f"local-dir:{folder.resolve()}" if own else source.architecture
        )
    except LOAD_FAILURES as error:
        raise ScrutinyUnavailable(
            f"clip: no tokenizer for {source.architecture}: {error}"
        ) from error


def load_clip(
    source: ClipSource, device: torch.device, dtype: torch.dtype = torch.float32
) -> tuple[Any, Any]:
    """The whole frozen model of open_clip, and what turns an RGB image into its input.

    Other dtypes than float32 never hold the model in float32 on the way. Raises
    `ScrutinyUnavailable` where the checkpoint is missing, damaged or of another architecture.
    """
    if source.config is not None:
        open_clip.add_model_config(source.config)
    try:
        # The architecture draws initial weights before the checkpoint is read.
        with torch.random.fork_rng(devices=[]):
            file = _weights(source.checkpoint)
            if dtype is torch.float32:
                model, _, preprocess = open_clip.create_model_and_transforms(
                    source.architecture, pretrained=file, weights_only=True
                )
            else:
                model, preprocess = _in_half(source.architecture, file, dtype)
    except LOAD_FAILURES as error:
        raise ScrutinyUnavailable(
            f"clip: {source.checkpoint} cannot be loaded as {source.architecture}: {error}\n"
            + _advice(source.checkpoint)
        ) from error
    model.requires_grad_(False)
    return model.eval().to(device), preprocess


def _in_half(architecture: str, file: str, dtype: torch.dtype) -> tuple[Any, Any]:
    """Model and preprocessing, made in `dtype` and filled from `file` tensor by tensor."""
    before, root = torch.get_default_dtype(), logging.getLogger()
    torch.set_default_dtype(dtype)
    root.addFilter(_tells_of_weights)
    try:
        model, _, preprocess = open_clip.create_model_and_transforms(architecture)
    finally:
        torch.set_default_dtype(before)
        root.removeFilter(_tells_of_weights)
    if not file.endswith(".safetensors"):
        open_clip.load_checkpoint(model, file, weights_only=True)
        return model, preprocess
    mine = model.state_dict()
    with safe_open(file, "pt") as opened:
        names = set(opened.keys())
    if names != mine.keys():
        odd = ", ".join(sorted(names ^ mine.keys())[:5])
        raise ValueError(f"it has not the same tensors as the architecture: {odd}")
    for name, place in mine.items():
        # Opened anew for each: what was read of an open file stays in memory.
        with safe_open(file, "pt") as opened:
            tensor = opened.get_tensor(name)
            if tensor.shape != place.shape:  # which copying might stretch
                raise ValueError(f"{name} is {tuple(tensor.shape)}, not {tuple(place.shape)}")
            place.copy_(tensor)
            del tensor
    return model, preprocess


def _tells_of_weights(record: logging.LogRecord) -> bool:
    """False for open_clip's warning that weights are random: here they are read right after."""
    return "initialized randomly" not in record.getMessage()


def _weights(checkpoint: str) -> str:
    """The file: `checkpoint` itself, one of a folder, or one fetched by hub id or cached."""
    path = Path(checkpoint)
    if path.is_file():
        return checkpoint
    if path.is_dir():
        names = [name for name in CLIP_FILES if (path / name).is_file()]
        if not names:
            raise FileNotFoundError(f"the folder holds none of {', '.join(CLIP_FILES)}")
        return str(path / names[0])
    if not HUB_ID.fullmatch(checkpoint):
        raise FileNotFoundError("there is no such file")
    return str(open_clip.download_pretrained({"hf_hub": f"{checkpoint}/"}))


def _advice(checkpoint: str) -> str:
    if HUB_ID.fullmatch(checkpoint) and not Path(checkpoint).exists():
        return (
            "It is no local path, so it was looked up as a hub id. Fetch it with "
            f"`hf download {checkpoint} --local-dir DIR` and name DIR in the file of model sources "
            "(HF_HUB_OFFLINE=1 forbids downloads)."
        )
    return (
        "Name the architecture the checkpoint was trained with, and save it as safetensors or as a "
        "plain state dict (not as a TorchScript archive)."
    )
