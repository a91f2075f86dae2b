"""The names of devices and dtypes in `ModelSources`, turned into torch's."""

import torch

from ethical_lens.sources import DeviceName, DtypeName, SourcesError


def resolve_device(name: DeviceName) -> torch.device:
    """ "auto" is CUDA where torch sees it. Raises `SourcesError` for "cuda" where it does not."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name == "cuda" and not torch.cuda.is_available():
        raise SourcesError(
            "device: 'cuda' is asked for, but torch sees no CUDA device. Use 'auto' or 'cpu', or "
            "give the worker a GPU and a CUDA build of torch."
        )
    return torch.device(name)


def resolve_dtype(name: DtypeName, device: torch.device) -> torch.dtype:
    """ "auto" is float16 on CUDA and float32 elsewhere."""
    if name == "auto":
        return torch.float16 if device.type == "cuda" else torch.float32
    return {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}[name]
