"""LoRA weights on a pipeline, for the time of one batch."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import torch

from ethical_lens.generation.errors import LoraUnavailable
from ethical_lens.loading import LOAD_FAILURES
from ethical_lens.sources import LoraSource

_ADAPTER: Final = "lora"


@contextmanager
def lora_applied(pipeline: Any, name: str, lora: LoraSource) -> Iterator[None]:
    """Lay the weights of `lora` over the pipeline and take them off again, however the block ends.

    Read from safetensors alone, so that nothing is unpickled. Raises `LoraUnavailable` where the
    file is not there, damaged, or made for another pipeline.
    """
    file = Path(lora.source)
    if not hasattr(pipeline, "load_lora_weights"):
        raise LoraUnavailable(f"{type(pipeline).__name__} takes no LoRA weights, so not {name!r}")
    try:
        _load(pipeline, name, file, lora.scale)
        yield
    finally:
        pipeline.unload_lora_weights()


def _load(pipeline: Any, name: str, file: Path, scale: float) -> None:
    try:
        if not file.is_file():  # else diffusers would look for it on the hub
            raise FileNotFoundError("there is no such file")
        # Its layers draw initial weights before the stored ones are read.
        with torch.random.fork_rng(devices=[]):
            pipeline.load_lora_weights(
                str(file.parent),
                weight_name=file.name,
                adapter_name=_ADAPTER,
                use_safetensors=True,
                local_files_only=True,
            )
        if not pipeline.get_list_adapters():
            raise ValueError("it has no layer of this pipeline")
        pipeline.set_adapters([_ADAPTER], [scale])
    except LOAD_FAILURES as error:
        raise LoraUnavailable(
            f"The LoRA {name!r} ({file}) cannot be loaded onto {type(pipeline).__name__}: {error}\n"
            "It must be safetensors, trained for the same kind of pipeline."
        ) from error
