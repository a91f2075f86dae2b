"""Reading the file of model sources."""

import json
from pathlib import Path
from typing import Any

import pytest

from ethical_lens.results import Concept
from ethical_lens.sources import (
    ModelSources,
    PipelineSource,
    SourcesError,
    digest_of,
    head_file,
)


@pytest.fixture(autouse=True)
def _the_hub_may_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here asks it; test_presets.py has what holds offline."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with every file that `written` names; nothing in them is a model."""
    for name in ("clip/weights.safetensors", "clip/tiny.json", "pipeline/model_index.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "heads").mkdir()
    for concept in Concept:
        (tmp_path / "heads" / f"{concept.value}.pt").write_text(concept.value)
    return tmp_path


def written(folder: Path, **changes: Any) -> Path:
    data = {
        "pipelines": {
            "house": {"source": "pipeline", "steps": 12},
            "sdxl": {"source": "owner/name-1.0"},
        },
        "clip": {
            "architecture": "tiny",
            "checkpoint": "clip/weights.safetensors",
            "config": "clip/tiny.json",
        },
        "heads": "heads",
        "regions": "owner/regions",
    }
    file = folder / "models.json"
    file.write_text(json.dumps(data | changes))
    return file


def test_relative_paths_resolve_against_the_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = written(folder)
    monkeypatch.chdir(folder.parent)

    sources = ModelSources.read(file.relative_to(folder.parent))

    assert sources.pipelines == {
        "house": PipelineSource(source=str(folder / "pipeline"), steps=12),
        "sdxl": PipelineSource(source="owner/name-1.0"),
    }
    assert sources.clip.checkpoint == str(folder / "clip/weights.safetensors")
    assert sources.clip.config == folder / "clip/tiny.json"
    assert sources.heads == folder / "heads"
    assert sources.regions == "owner/regions"
    assert sources.faces is None
    assert (sources.device, sources.dtype) == ("auto", "auto")


def test_every_wrong_field_is_named_at_once(folder: Path) -> None:
    clip = {"architecture": "other", "checkpoint": "clip/none.pt", "config": "clip/tiny.json"}
    file = written(
        folder,
        clip=clip,
        heads="none",
        regions="./regions",
        faces="none",
        pipelines={"a": {"source": "typo"}},
    )

    with pytest.raises(SourcesError) as caught:
        ModelSources.read(file)

    message = str(caught.value)
    for part in (
        str(file),
        f"pipelines.a: 'typo' is neither at {folder / 'typo'} nor a hub id",
        f"clip.checkpoint: 'clip/none.pt' is neither at {folder / 'clip/none.pt'} nor a hub id",
        f"faces: no folder at {folder / 'none'}",
        "clip.config: the file is named tiny.json, the architecture 'other'",
        f"heads: {folder / 'none'} does not hold nsfw, politic, culture, nude, public",
        "regions: './regions'",
    ):
        assert part in message


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"device": "tpu"}, "device: "),
        ({"pipelines": {}}, "pipelines: "),
        ({"pipelines": {"a": "pipeline"}}, r"pipelines\.a: "),
        ({"pipelines": {"a": {"source": "pipeline", "width": 2048}}}, r"pipelines\.a\.width: "),
        ({"clip": {"architecture": "tiny"}}, "clip.checkpoint: "),
        ({"aesthetic": "x"}, "aesthetic: "),
    ],
)
def test_a_field_of_the_wrong_kind(folder: Path, changes: dict[str, Any], part: str) -> None:
    with pytest.raises(SourcesError, match=part):
        ModelSources.read(written(folder, **changes))


def test_a_file_that_is_missing_or_no_json(tmp_path: Path) -> None:
    file = tmp_path / "models.json"
    with pytest.raises(SourcesError, match=r"no preset \(mini, sd15, sdxl, sd-turbo\) and no file"):
        ModelSources.read(file)
    file.write_text("{")
    with pytest.raises(SourcesError, match="is not JSON"):
        ModelSources.read(file)
    file.write_text("[]")
    with pytest.raises(SourcesError, match="file: "):
        ModelSources.read(file)


def test_an_unknown_pipeline(folder: Path) -> None:
    sources = ModelSources.read(written(folder))

    assert sources.pipeline("sdxl") == "owner/name-1.0"
    with pytest.raises(SourcesError, match="none is named 'sd3'; there are house, sdxl"):
        sources.pipeline("sd3")


def test_safetensors_comes_before_pt_and_a_missing_head_is_named(folder: Path) -> None:
    heads = folder / "heads"
    assert head_file(heads, Concept.NUDE) == heads / "nude.pt"
    (heads / "nude.safetensors").touch()
    assert head_file(heads, Concept.NUDE) == heads / "nude.safetensors"
    (heads / "public.pt").unlink()
    with pytest.raises(SourcesError, match=r"does not hold public, each as \.safetensors or \.pt"):
        head_file(heads, Concept.PUBLIC)


def test_a_digest_follows_names_and_bytes_and_nothing_else(folder: Path) -> None:
    before = digest_of(str(folder / "clip"))
    assert before.startswith("sha256:")

    (folder / "clip/.cache").mkdir()
    (folder / "clip/.cache/lock").touch()
    assert digest_of(str(folder / "clip")) == before
    moved = (folder / "clip").rename(folder / "elsewhere")
    assert digest_of(str(moved)) == before

    (moved / "tiny.json").rename(moved / "small.json")
    renamed = digest_of(str(moved))
    (moved / "small.json").write_text("other")
    assert len({before, renamed, digest_of(str(moved))}) == 3


def test_a_hub_id_has_no_bytes_to_digest(folder: Path) -> None:
    assert digest_of("owner/name") == "hub:owner/name"

    clip = {"architecture": "tiny", "checkpoint": "owner/clip"}
    digests = ModelSources.read(written(folder, clip=clip)).scrutiny_digests()

    assert (digests["clip"], digests["regions"]) == ("hub:owner/clip", "hub:owner/regions")


def test_scrutiny_digests_cover_every_model_of_scrutiny(folder: Path) -> None:
    (folder / "faces").mkdir()
    file = written(folder, faces="faces")
    before = ModelSources.read(file).scrutiny_digests()
    assert before.keys() == {"clip", "regions", "faces", *(f"heads/{c.value}" for c in Concept)}

    (folder / "clip/tiny.json").write_text("other")
    (folder / "heads/nude.pt").write_text("other")
    (folder / "faces/config.json").touch()
    after = ModelSources.read(file).scrutiny_digests()

    assert {name for name in before if before[name] != after[name]} == {
        "clip", "faces", "heads/nude",
    }  # fmt: skip


def test_loras_are_safetensors_files_of_pipelines_that_there_are(folder: Path) -> None:
    (folder / "ink.safetensors").touch()
    ink = {"source": "ink.safetensors", "pipelines": ["house"], "scale": 0.8}

    sources = ModelSources.read(written(folder, loras={"ink": ink}))
    assert sources.loras_of("house")["ink"].source == str(folder / "ink.safetensors")
    assert sources.loras_of("sdxl") == {}

    for wrong, part in (
        ({"source": "oil.safetensors"}, r"loras\.odd: no file at .*oil\.safetensors"),
        ({"source": "ink.safetensors", "pipelines": ["barn"]}, "there is no pipeline 'barn'"),
        ({"source": "ink.bin"}, r"loras\.odd\.source: "),
        ({"source": "ink.safetensors", "scale": 99}, r"loras\.odd\.scale: "),
    ):
        with pytest.raises(SourcesError, match=part):
            ModelSources.read(written(folder, loras={"odd": wrong}))
