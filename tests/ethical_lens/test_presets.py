"""Presets: which models they name, what replaces them, and what is said where nothing is there."""

import json
import time
from pathlib import Path

import pytest

from ethical_lens.results import Concept
from ethical_lens.sources import PRESETS, ModelSources, PipelineSource, SourcesError

CLIP = "timm/vit_large_patch14_clip_224.openai"  # what open_clip fetches for `openai`
REGIONS = "CIDAS/clipseg-rd64-refined"
PIPELINES = {
    "sd15": "stable-diffusion-v1-5/stable-diffusion-v1-5",
    "sdxl": "stabilityai/stable-diffusion-xl-base-1.0",
    "sd-turbo": "stabilityai/sd-turbo",
}


@pytest.fixture(autouse=True)
def hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of a hub that may not be asked."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of weights that holds the heads alone."""
    heads = tmp_path / "models" / "heads"
    heads.mkdir(parents=True)
    for concept in Concept:
        (heads / f"{concept.value}.pt").touch()
    return heads.parent


def cached(cache: Path, hub_id: str, file: str) -> None:
    """Put an empty file of a repository into the cache."""
    repository = cache / f"models--{hub_id.replace('/', '--')}"
    (repository / "snapshots" / "1a2b").mkdir(parents=True)
    (repository / "snapshots" / "1a2b" / file).touch()
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("1a2b")


def test_every_preset_can_be_read() -> None:
    assert list(PRESETS) == ["mini", *PIPELINES]
    assert [list(ModelSources.parse(name).pipelines) for name in PRESETS] == [[n] for n in PRESETS]


@pytest.mark.parametrize("name", PIPELINES)
def test_published_sets_share_their_scrutiny(name: str) -> None:
    sources = ModelSources.parse(name)

    assert sources.pipeline(name) == PIPELINES[name]
    assert (sources.clip.architecture, sources.clip.checkpoint) == ("ViT-L-14-quickgelu", CLIP)
    assert (sources.regions, sources.heads) == (REGIONS, Path("heads"))


def test_jobs_get_what_suits_the_model() -> None:
    found = {name: ModelSources.parse(name).pipelines[name] for name in PRESETS}

    assert {
        name: (given.width, given.height, given.steps, given.guidance_scale)
        for name, given in found.items()
    } == {
        "mini": (96, 96, 20, 4.0),
        "sd15": (512, 512, 30, 7.5),
        "sdxl": (1024, 1024, 30, 5.0),
        "sd-turbo": (512, 512, 1, 0.0),
    }


@pytest.mark.parametrize("name", PIPELINES)
def test_all_that_is_missing_is_named_at_once_with_how_to_get_it(name: str, tmp_path: Path) -> None:
    began, folder = time.monotonic(), tmp_path / "my models"

    with pytest.raises(SourcesError) as caught:
        ModelSources.read(name, folder)

    assert time.monotonic() - began < 10
    first, *lines = str(caught.value).splitlines()
    assert first == f"{name}:"
    for field, hub_id in (
        (f"pipelines.{name}", PIPELINES[name]), ("clip.checkpoint", CLIP), ("regions", REGIONS),
    ):  # fmt: skip
        said = f"  {field}: {hub_id} is neither at {folder / hub_id} nor in the hub's cache, "
        (at,) = (i for i, line in enumerate(lines) if line.startswith(said))
        assert lines[at + 1] == (
            f"    HF_HUB_OFFLINE=0 hf download {hub_id} --local-dir '{folder / hub_id}'"
        )
    (heads,) = (line for line in lines if line.startswith("  heads: "))
    assert f"{folder / 'heads'} does not hold nsfw, politic, culture, nude, public" in heads
    assert "https://github.com/yuzhu-cai/Ethical-Lens" in heads
    assert len(lines) == 7


def test_a_folder_takes_the_place_of_a_hub_id(folder: Path) -> None:
    for hub_id in (PIPELINES["sdxl"], CLIP, REGIONS):
        (folder / hub_id).mkdir(parents=True)

    sources = ModelSources.read("sdxl", folder)

    assert sources.pipeline("sdxl") == str(folder / PIPELINES["sdxl"])
    assert sources.clip.checkpoint == str(folder / CLIP)
    assert sources.regions == str(folder / REGIONS)
    assert sources.heads == folder / "heads"
    digests = sources.scrutiny_digests()
    assert {digest.partition(":")[0] for digest in digests.values()} == {"sha256"}


@pytest.mark.parametrize(
    "weights", ["open_clip_model.safetensors", "open_clip_pytorch_model.bin"]
)  # fmt: skip
def test_what_is_in_the_hubs_cache_is_there(folder: Path, hub_cache: Path, weights: str) -> None:
    cached(hub_cache, PIPELINES["sd15"], "model_index.json")
    cached(hub_cache, CLIP, weights)
    cached(hub_cache, REGIONS, "config.json")

    sources = ModelSources.read("sd15", folder)

    assert sources.pipeline("sd15") == PIPELINES["sd15"]
    assert sources.clip.checkpoint == CLIP
    assert sources.scrutiny_digests()["clip"] == f"hub:{CLIP}"


def test_online_a_hub_id_is_left_to_its_loader(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)

    assert ModelSources.read("sd-turbo", folder).regions == REGIONS


def test_mini_is_whole_in_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "package" / "models.json"
    package.parent.mkdir()
    package.write_text(PRESETS["mini"].read_text())
    monkeypatch.setitem(PRESETS, "mini", package)

    with pytest.raises(SourcesError) as caught:
        ModelSources.read("mini", tmp_path / "elsewhere")

    message = str(caught.value)
    for part in ("pipeline", "clip", "heads", "regions", "faces"):
        assert str(package.parent / part) in message
    assert "elsewhere" not in message
    assert "hf download" not in message
    assert "make mini-models" in message


def test_the_name_of_a_preset_comes_before_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    own = json.loads(PRESETS["sd15"].read_text()) | {"pipelines": {"own": {"source": "a/b"}}}
    (tmp_path / "sd15").write_text(json.dumps(own))

    assert ModelSources.parse("sd15").pipelines.keys() == {"sd15"}
    assert ModelSources.parse("./sd15").pipelines == {"own": PipelineSource(source="a/b")}
