"""LoRA weights: laid over a real pipeline for one batch, and gone afterwards."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from ethical_lens.generation.errors import LoraUnavailable, OutOfMemory
from ethical_lens.generation.painter import Painter
from ethical_lens.sources import LoraSource
from painting import levels, request

PROJECTIONS = ("to_q", "to_k", "to_v", "to_out.0")


def write_lora(network: Any, file: Path, *, prefix: str, seed: int, size: float = 1.0) -> Path:
    """Rank 2 on every attention projection of `network`, in the format diffusers itself saves."""
    generator, state = torch.Generator().manual_seed(seed), {}
    for name, layer in network.named_modules():
        if isinstance(layer, torch.nn.Linear) and name.endswith(PROJECTIONS):
            state[f"{prefix}.{name}.lora_A.weight"] = (
                torch.randn(2, layer.in_features, generator=generator) * size
            )
            state[f"{prefix}.{name}.lora_B.weight"] = (
                torch.randn(layer.out_features, 2, generator=generator) * size
            )
    assert state
    save_file(state, file)
    return file


@pytest.fixture
def loras(either_pipeline: Any, tmp_path: Path) -> dict[str, LoraSource]:
    def made(name: str, **changes: Any) -> LoraSource:
        file = tmp_path / f"{name}.safetensors"
        write_lora(either_pipeline.unet, file, prefix="unet", seed=len(name))
        return LoraSource(source=str(file), **changes)

    return {"ink": made("ink"), "chalk": made("chalk"), "faint": made("ink", scale=0.0)}


@pytest.fixture
def with_loras(either_pipeline: Any, loras: dict[str, LoraSource]) -> Painter:
    return Painter(either_pipeline, loras)


def test_each_lora_changes_the_picture_in_its_way(with_loras: Painter) -> None:
    plain, ink, chalk = (
        levels(with_loras.paint([request(3, lora=name)])[0]) for name in ("", "ink", "chalk")
    )

    for one, other in ((plain, ink), (plain, chalk), (ink, chalk)):
        assert np.abs(one - other).max() > 1


def test_at_scale_0_it_changes_nothing(with_loras: Painter) -> None:
    plain = levels(with_loras.paint([request(3)])[0])

    assert np.abs(levels(with_loras.paint([request(3, lora="faint")])[0]) - plain).max() <= 1


def test_the_next_request_sees_nothing_of_it(with_loras: Painter) -> None:
    before = levels(with_loras.paint([request(3)])[0])
    with_loras.paint([request(3, lora="ink")])

    assert (levels(with_loras.paint([request(3)])[0]) == before).all()


def test_one_after_another_is_as_each_alone(with_loras: Painter) -> None:
    alone = levels(with_loras.paint([request(3, lora="chalk")])[0])
    with_loras.paint([request(3, lora="ink")])

    assert (levels(with_loras.paint([request(3, lora="chalk")])[0]) == alone).all()


def test_a_run_that_is_ended_or_fails_leaves_nothing(
    with_loras: Painter, either_pipeline: Any
) -> None:
    class Stop(Exception):
        pass

    def stop(*_: int) -> None:
        raise Stop

    def starve(*_: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    before = levels(with_loras.paint([request(3)])[0])
    with pytest.raises(Stop):
        with_loras.paint([request(3, lora="ink")], stop)
    assert (levels(with_loras.paint([request(3)])[0]) == before).all()
    hook = either_pipeline.vae.decoder.register_forward_hook(starve)
    with pytest.raises(OutOfMemory):
        with_loras.paint([request(3, lora="ink")])
    hook.remove()
    assert (levels(with_loras.paint([request(3)])[0]) == before).all()


def test_a_batch_has_one_lora(with_loras: Painter) -> None:
    with pytest.raises(ValueError, match="a batch shares"):
        with_loras.paint([request(1), request(2, lora="ink")])


def test_an_unknown_name_is_refused_with_those_that_are_known(with_loras: Painter) -> None:
    with pytest.raises(LoraUnavailable, match="'oil'; there is: chalk, faint, ink"):
        with_loras.paint([request(1, lora="oil")])


def write_text(folder: Path) -> Path:
    file = folder / "text.safetensors"
    file.write_text("no weights")
    return file


def write_pickle(folder: Path) -> Path:
    """As a pickle would come by: under a name that promises safetensors."""
    file = folder / "pickle.safetensors"
    file.write_bytes(pickle.dumps({"unet.x.lora_A.weight": 1}))
    return file


def write_wrong_size(folder: Path) -> Path:
    name = "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q"
    file = folder / "wrong-size.safetensors"
    save_file(
        {
            f"unet.{name}.lora_A.weight": torch.ones(2, 999),
            f"unet.{name}.lora_B.weight": torch.ones(999, 2),
        },
        file,
    )
    return file


def write_other_layers(folder: Path) -> Path:
    file = folder / "other.safetensors"
    save_file({"transformer.blocks.0.attn.to_q.lora_A.weight": torch.ones(2, 4),
               "transformer.blocks.0.attn.to_q.lora_B.weight": torch.ones(4, 2)}, file)  # fmt: skip
    return file


@pytest.mark.filterwarnings("ignore")  # diffusers' own, about what it did not find
@pytest.mark.parametrize(
    "write",
    [write_text, write_pickle, write_wrong_size, write_other_layers, lambda folder: folder / "no"],
    ids=["text", "pickle", "wrong size", "other layers", "no file"],
)
def test_a_file_that_does_not_fit_is_refused_and_leaves_nothing(
    either_pipeline: Any, tmp_path: Path, write: Callable[[Path], Path]
) -> None:
    file = write(tmp_path)
    lora = LoraSource.model_construct(source=str(file), pipelines=(), scale=1.0)
    painter = Painter(either_pipeline, {"odd": lora})
    before = levels(painter.paint([request(3)])[0])

    with pytest.raises(LoraUnavailable, match="'odd'"):
        painter.paint([request(3, lora="odd")])

    assert (levels(painter.paint([request(3)])[0]) == before).all()


def test_weights_of_the_text_encoder_count_for_long_prompts_and_are_taken_off_too(
    pipeline: Any, tmp_path: Path
) -> None:
    state, generator = {}, torch.Generator().manual_seed(1)
    for name, layer in pipeline.text_encoder.named_modules():
        if isinstance(layer, torch.nn.Linear) and name.endswith(("q_proj", "v_proj")):
            state[f"text_encoder.{name}.lora_A.weight"] = torch.randn(
                2, layer.in_features, generator=generator
            )
            state[f"text_encoder.{name}.lora_B.weight"] = torch.randn(
                layer.out_features, 2, generator=generator
            )
    save_file(state, tmp_path / "words.safetensors")
    painter = Painter(pipeline, {"words": LoraSource(source=str(tmp_path / "words.safetensors"))})
    for prompt in ("a doctor", "a doctor in the park " * 20):
        plain = levels(painter.paint([request(3, prompt=prompt)])[0])
        changed = levels(painter.paint([request(3, prompt=prompt, lora="words")])[0])
        assert np.abs(changed - plain).max() > 1
        assert (levels(painter.paint([request(3, prompt=prompt)])[0]) == plain).all()


def test_applying_it_leaves_global_generators_alone(with_loras: Painter) -> None:
    before = torch.get_rng_state()

    with_loras.paint([request(1, lora="ink")])

    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("source", ["style.bin", "style.pt", "owner/name", "style.safetensors.bin"])
def test_only_safetensors_may_be_named(source: str) -> None:
    with pytest.raises(ValueError, match="source"):
        LoraSource(source=source)
