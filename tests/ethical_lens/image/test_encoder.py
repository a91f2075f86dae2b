"""The shared image encoder."""

import json
from pathlib import Path

import open_clip
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from ethical_lens.image.encoder import ImageEncoder
from ethical_lens.image.errors import ScrutinyUnavailable
from ethical_lens.sources import ClipSource, ModelSources

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def encoder(sources: ModelSources) -> ImageEncoder:
    return ImageEncoder.load(sources.clip, CPU)


def test_features_are_those_of_open_clip_not_normalised(
    encoder: ImageEncoder, sources: ModelSources, pictures: list[Image.Image]
) -> None:
    model, _, preprocess = open_clip.create_model_and_transforms(
        sources.clip.architecture, pretrained=sources.clip.checkpoint
    )
    with torch.no_grad():
        batch = torch.stack([preprocess(picture) for picture in pictures])
        expected = model.eval().encode_image(batch)

    features = encoder.encode(pictures)

    assert features.shape == (8, encoder.dimension)
    assert features.dtype is torch.float32
    torch.testing.assert_close(features, expected)
    assert (features.norm(dim=1) - 1).abs().min() > 0.1


def test_features_do_not_depend_on_the_batch(
    encoder: ImageEncoder, pictures: list[Image.Image]
) -> None:
    torch.testing.assert_close(encoder.encode(pictures)[3:4], encoder.encode([pictures[3]]))
    torch.testing.assert_close(encoder.encode(pictures), encoder.encode(pictures))


def test_no_pictures_no_features(encoder: ImageEncoder) -> None:
    assert encoder.encode([]).shape == (0, encoder.dimension)


def test_a_plain_state_dict_loads_like_safetensors(
    encoder: ImageEncoder, sources: ModelSources, pictures: list[Image.Image], tmp_path: Path
) -> None:
    file = tmp_path / "weights.pt"
    torch.save(load_file(sources.clip.checkpoint), file)

    again = ImageEncoder.load(sources.clip.model_copy(update={"checkpoint": str(file)}), CPU)

    torch.testing.assert_close(again.encode(pictures), encoder.encode(pictures))


def test_a_folder_of_open_clip_holds_the_checkpoint(
    encoder: ImageEncoder, sources: ModelSources, pictures: list[Image.Image], tmp_path: Path
) -> None:
    (tmp_path / "open_clip_model.safetensors").symlink_to(sources.clip.checkpoint)
    (tmp_path / "open_clip_pytorch_model.bin").write_text("the other one is the better")
    source = sources.clip.model_copy(update={"checkpoint": str(tmp_path)})

    again = ImageEncoder.load(source, CPU)

    torch.testing.assert_close(again.encode(pictures), encoder.encode(pictures))


class Payload:
    """Touches a file when it is unpickled."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (self.file,))


def test_code_in_a_checkpoint_is_not_run(sources: ModelSources, tmp_path: Path) -> None:
    file, touched = tmp_path / "weights.pt", tmp_path / "touched"
    torch.save({"visual.proj": Payload(touched)}, file)

    with pytest.raises(ScrutinyUnavailable, match="cannot be loaded"):
        ImageEncoder.load(sources.clip.model_copy(update={"checkpoint": str(file)}), CPU)

    assert not touched.exists()


def other_architecture(source: ClipSource, folder: Path) -> ClipSource:
    assert source.config is not None
    config = json.loads(source.config.read_text()) | {"embed_dim": 24}
    file = folder / "other-clip.json"
    file.write_text(json.dumps(config))
    return source.model_copy(update={"architecture": "other-clip", "config": file})


def test_a_checkpoint_of_another_architecture(sources: ModelSources, tmp_path: Path) -> None:
    with pytest.raises(ScrutinyUnavailable, match="cannot be loaded as other-clip"):
        ImageEncoder.load(other_architecture(sources.clip, tmp_path), CPU)


def test_a_missing_or_cut_checkpoint(sources: ModelSources, tmp_path: Path) -> None:
    file = tmp_path / "weights.safetensors"
    source = sources.clip.model_copy(update={"checkpoint": str(file)})
    with pytest.raises(ScrutinyUnavailable, match="there is no such file"):
        ImageEncoder.load(source, CPU)
    file.write_bytes(Path(sources.clip.checkpoint).read_bytes()[:1000])
    with pytest.raises(ScrutinyUnavailable, match="cannot be loaded"):
        ImageEncoder.load(source, CPU)
    with pytest.raises(ScrutinyUnavailable, match=r"holds none of open_clip_model\.safetensors"):
        ImageEncoder.load(source.model_copy(update={"checkpoint": str(tmp_path)}), CPU)


def test_an_architecture_that_open_clip_does_not_know(sources: ModelSources) -> None:
    source = ClipSource(architecture="no-such-clip", checkpoint=sources.clip.checkpoint)
    with pytest.raises(ScrutinyUnavailable, match="no-such-clip"):
        ImageEncoder.load(source, CPU)


@pytest.fixture(scope="module")
def half(sources: ModelSources) -> ImageEncoder:
    return ImageEncoder.load(sources.clip, CPU, torch.bfloat16)


def test_in_bfloat16_features_are_the_same_to_its_precision(
    encoder: ImageEncoder, half: ImageEncoder, pictures: list[Image.Image]
) -> None:
    found, exact = half.encode(pictures), encoder.encode(pictures)

    assert {p.dtype for p in half._model.parameters()} == {torch.bfloat16}
    assert found.dtype is torch.float32
    assert half.dimension == encoder.dimension
    assert not torch.equal(found, exact)
    assert torch.cosine_similarity(found, exact).min() > 0.999


def test_loading_in_bfloat16_leaves_torch_as_it_was(
    sources: ModelSources, caplog: pytest.LogCaptureFixture
) -> None:
    before = torch.get_rng_state()

    ImageEncoder.load(sources.clip, CPU, torch.bfloat16)

    assert "randomly" not in caplog.text

    assert torch.get_default_dtype() is torch.float32
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("how", ["a tensor too few", "a tensor of another shape"])
def test_in_bfloat16_a_checkpoint_of_another_architecture_is_refused(
    sources: ModelSources, tmp_path: Path, how: str
) -> None:
    state = load_file(sources.clip.checkpoint)
    if how == "a tensor too few":
        del state["visual.proj"]
    else:
        state["visual.class_embedding"] = state["visual.class_embedding"][:1]
    save_file(state, tmp_path / "odd.safetensors")
    odd = sources.clip.model_copy(update={"checkpoint": str(tmp_path / "odd.safetensors")})

    with pytest.raises(ScrutinyUnavailable, match=r"visual\.(proj|class_embedding)"):
        ImageEncoder.load(odd, CPU, torch.bfloat16)
