"""Which models there are and where they lie: a preset, or a JSON file. Torch-free.

```json
{
  "pipelines": {
    "sdxl": {"source": "stabilityai/stable-diffusion-xl-base-1.0", "width": 1024, "height": 1024},
    "house": {"source": "./pipelines/house", "steps": 20}
  },
  "clip": {"architecture": "ViT-L-14-quickgelu", "checkpoint": "clip/ViT-L-14.safetensors"},
  "heads": "heads",
  "regions": "CIDAS/clipseg-rd64-refined"
}
```

Relative paths count from the folder of the file, those of presets from a folder of the operator.
A source that is no path there is a hub id `owner/name`. docs/models.md has all fields.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal, Self

from pydantic import Field, ValidationError

from ethical_lens.finding import Finder
from ethical_lens.manifest import DamagedWeights, verify
from ethical_lens.results import Concept, Value

_PACKAGE = Path(__file__).parent
MINI: Final = "mini"
PRESETS: Final = {MINI: _PACKAGE / "mini" / "weights" / "models.json"} | {
    name: _PACKAGE / "presets" / f"{name}.json" for name in ("sd15", "sdxl", "sd-turbo")
}
"""Model sets that have a name, and their files. The weights of `mini` lie beside its file."""

CLIP_FILES: Final = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")
"""The weights in a folder or repository of open_clip, the better format first."""
PIPELINE_FILES: Final = ("model_index.json",)
REGIONS_FILES: Final = ("config.json",)
"""What each repository of its kind holds, by which it is known in the hub's cache."""

DeviceName = Literal["auto", "cpu", "cuda"]
DtypeName = Literal["auto", "float32", "float16", "bfloat16"]
ScrutinyDtype = Literal["float32", "bfloat16"]


class SourcesError(ValueError):
    """The model sources are unreadable, or name something that is not there."""


class PipelineSource(Value):
    """A diffusers pipeline, a folder or a hub id, and what a job gets that does not say otherwise.

    `width`, `height`: pixels. The bounds are those of a job.
    """

    source: str = Field(min_length=1)
    width: int = Field(default=512, ge=64, le=1024, multiple_of=8)
    height: int = Field(default=512, ge=64, le=1024, multiple_of=8)
    steps: int = Field(default=30, ge=1, le=100)
    guidance_scale: float = Field(default=7.5, ge=0, le=30, allow_inf_nan=False)


class LoraSource(Value):
    """LoRA weights, a local safetensors file, and how much of them counts.

    `pipelines` are the names of those it belongs to; empty: all.
    """

    source: str = Field(pattern=r"\.safetensors$")
    pipelines: tuple[str, ...] = ()
    scale: float = Field(default=1.0, ge=-10, le=10, allow_inf_nan=False)

    def fits(self, pipeline: str) -> bool:
        """Whether it belongs to the pipeline of that name."""
        return not self.pipelines or pipeline in self.pipelines


class ClipSource(Value):
    """An open_clip encoder: its architecture's name and its weights.

    `checkpoint` is a file, or a folder or hub id that holds one of `CLIP_FILES`. `config` is a
    model-config JSON for an architecture that open_clip does not know; its file name without
    suffix must be `architecture`. OpenAI's own weights need an architecture whose name ends in
    `-quickgelu`: with another activation they load and give wrong features.
    """

    architecture: str = Field(min_length=1)
    checkpoint: str = Field(min_length=1)
    config: Path | None = None

    def digest(self) -> str:
        """Over architecture, config and weights; `hub:owner/name` where the weights are not here.

        Reads the weights whole.
        """
        weights = digest_of(self.checkpoint)
        if weights.startswith("hub:"):
            return weights
        whole = hashlib.sha256(self.architecture.encode())
        whole.update(weights.encode())
        if self.config is not None:
            whole.update(digest_of(str(self.config)).encode())
        return f"sha256:{whole.hexdigest()}"

    def _found(self, finder: Finder) -> Self:
        checkpoint = finder.part("clip.checkpoint", self.checkpoint, CLIP_FILES)
        config = self.config and finder.local("clip.config", self.config, is_folder=False)
        if self.config is not None and self.config.stem != self.architecture:
            finder.missing.append(
                f"clip.config: the file is named {self.config.name}, the architecture "
                f"{self.architecture!r}. Give both the same name."
            )
        return self.model_copy(update={"checkpoint": checkpoint, "config": config})


class ModelSources(Value):
    """What to load. `regions` is a local folder or a hub id.

    `heads` is a folder with `<concept>.safetensors` or `<concept>.pt` for each `Concept`. `faces`
    is a folder that `FaceReader` loads, or a file with the weights of FairFace; without it faces
    are read by `clip` and `regions` alone (`image/face_readers.py`). `dtype` is for the pipelines
    ("auto": float32 on the CPU, float16 on CUDA). `scrutiny_dtype` is for `clip`: bfloat16 takes
    half the memory and, where the CPU has it, less time; a verdict near a threshold can differ.
    """

    pipelines: dict[str, PipelineSource] = Field(min_length=1)
    clip: ClipSource
    heads: Path
    regions: str = Field(min_length=1)
    faces: Path | None = None
    loras: dict[str, LoraSource] = {}
    device: DeviceName = "auto"
    dtype: DtypeName = "auto"
    scrutiny_dtype: ScrutinyDtype = "float32"

    @classmethod
    def parse(cls, models: str | Path) -> Self:
        """The sources of a preset or a JSON file as they are written; no weights are looked for.

        Raises `SourcesError` that names every field that is wrong.
        """
        try:
            data = json.loads(_file(str(models)).read_text(encoding="utf-8"))
            return cls.model_validate(data)
        except OSError as error:
            raise SourcesError(
                f"{models}: is no preset ({', '.join(PRESETS)}) and no file that can be read "
                f"({error.strerror})."
            ) from error
        except ValidationError as error:
            lines = [
                f"{'.'.join(str(part) for part in problem['loc']) or 'file'}: {problem['msg']}"
                for problem in error.errors()
            ]
            raise SourcesError(_report(models, lines)) from error
        except ValueError as error:
            raise SourcesError(f"{models}: is not JSON ({error}).") from error

    @classmethod
    def read(cls, models: str | Path, folder: Path = Path("models")) -> Self:
        """The sources of a preset or a JSON file, what is local made absolute and known to exist.

        The relative paths of a preset count from `folder`; those of `mini`, as those of any other
        file, from the folder of the file.

        Raises `SourcesError` that names every field that is wrong, every part that is not there
        and how to get it, or what of `mini` is not as its manifest says. Nothing is fetched here.
        """
        raw, name = cls.parse(models), str(models)
        finder = _finder(name, folder)
        found = raw._found(finder)
        if finder.missing and name == MINI:
            finder.missing.append(
                "These come with the package; `make mini-models` makes them anew."
            )
        if finder.missing:
            raise SourcesError(_report(models, finder.missing))
        if name == MINI:
            try:
                verify(_file(name).parent)
            except DamagedWeights as error:
                raise SourcesError(_report(models, [str(error)])) from error
        return found

    @classmethod
    def read_encoder(cls, models: str | Path, folder: Path = Path("models")) -> Self:
        """As `read`, but only the encoder must be there: for those who train heads for it.

        Of the rest, `heads` is made absolute and nothing is looked for.
        """
        raw = cls.parse(models)
        finder = _finder(str(models), folder)
        clip = raw.clip._found(finder)
        if finder.missing:
            raise SourcesError(_report(models, finder.missing))
        return raw.model_copy(update={"clip": clip, "heads": finder.place(raw.heads)})

    def _found(self, finder: Finder) -> Self:
        heads = finder.place(self.heads)
        pipelines = {
            name: given.model_copy(
                update={"source": finder.part(f"pipelines.{name}", given.source, PIPELINE_FILES)}
            )
            for name, given in self.pipelines.items()
        }
        clip = self.clip._found(finder)
        loras = {
            name: given.model_copy(
                update={
                    "source": str(
                        finder.local(f"loras.{name}", Path(given.source), is_folder=False)
                    )
                }
            )
            for name, given in self.loras.items()
        }
        finder.missing += [
            f"loras.{name}.pipelines: there is no pipeline {pipeline!r}."
            for name, given in loras.items()
            for pipeline in given.pipelines
            if pipeline not in pipelines
        ]
        regions = finder.part("regions", self.regions, REGIONS_FILES)
        faces = self.faces and finder.local(
            "faces", self.faces, is_folder=not finder.place(self.faces).is_file()
        )
        absent = [concept for concept in Concept if _head(heads, concept) is None]
        if absent:
            finder.missing.append(_without_heads(heads, absent))
        return self.model_copy(
            update={
                "pipelines": pipelines,
                "loras": loras,
                "clip": clip,
                "heads": heads,
                "regions": regions,
                "faces": faces,
            }
        )

    def pipeline(self, name: str) -> str:
        """The source of the pipeline `name`. Raises `SourcesError` where there is none."""
        if name not in self.pipelines:
            raise SourcesError(
                f"pipelines: none is named {name!r}; there are {', '.join(sorted(self.pipelines))}."
            )
        return self.pipelines[name].source

    def loras_of(self, pipeline: str) -> dict[str, LoraSource]:
        """The LoRA weights that belong to the pipeline of that name."""
        return {name: lora for name, lora in self.loras.items() if lora.fits(pipeline)}

    def scrutiny_digests(self) -> dict[str, str]:
        """Digest by model for the record of decisions: `clip`, `regions`, `heads/<concept>`.

        With `faces` where there is a reader of faces. Reads every file whole, so call it once per
        process. Raises `SourcesError` where a head is missing.
        """
        clip = self.clip.digest()
        if self.scrutiny_dtype != "float32":
            clip += f" {self.scrutiny_dtype}"  # as much a part of a verdict as the weights
        digests = {"clip": clip, "regions": digest_of(self.regions)}
        if self.faces is not None:
            digests["faces"] = digest_of(str(self.faces))
        for concept in Concept:
            digests[f"heads/{concept.value}"] = digest_of(str(head_file(self.heads, concept)))
        return digests


def _file(models: str) -> Path:
    return PRESETS.get(models, Path(models))


def _finder(name: str, folder: Path) -> Finder:
    """Looks beside the file, and for presets but `mini` in the operator's `folder`."""
    if name == MINI or name not in PRESETS:
        folder = _file(name).resolve().parent
    return Finder(folder)


def head_file(directory: Path, concept: Concept) -> Path:
    """The file of one head, safetensors before `.pt`. Raises `SourcesError` if neither is there."""
    file = _head(directory, concept)
    if file is None:
        raise SourcesError(_without_heads(directory, [concept]))
    return file


def _head(directory: Path, concept: Concept) -> Path | None:
    files = (directory / f"{concept.value}.{suffix}" for suffix in ("safetensors", "pt"))
    return next((file for file in files if file.is_file()), None)


def _without_heads(directory: Path, absent: Sequence[Concept]) -> str:
    return (
        f"heads: {directory} does not hold {', '.join(absent)}, each as .safetensors or .pt. All "
        "five heads are needed, trained for this encoder; those for OpenAI's ViT-L/14 are "
        "published with the method's code, https://github.com/yuzhu-cai/Ethical-Lens."
    )


def digest_of(source: str) -> str:
    """`sha256:…` over a local file, or over the names and contents of a folder's files.

    Hidden files (a clone's `.git`, a hub cache's `.cache`) do not count. A hub id has no local
    bytes to digest and comes back as `hub:owner/name`. Not cached: folders can be gigabytes.
    """
    path = Path(source)
    if path.is_file():
        return f"sha256:{_sha256(path)}"
    if not path.is_dir():
        return f"hub:{source}"
    whole = hashlib.sha256()
    for file in sorted(path.rglob("*")):
        name = file.relative_to(path)
        if file.is_file() and not any(part.startswith(".") for part in name.parts):
            whole.update(f"{name.as_posix()}\0{_sha256(file)}\n".encode())
    return f"sha256:{whole.hexdigest()}"


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _report(models: str | Path, problems: Sequence[str]) -> str:
    return f"{models}:\n" + "\n".join(f"  {problem}" for problem in problems)
