"""Where the models lie: one JSON file, read once by whoever loads them. Torch-free.

```json
{
  "pipelines": {"sdxl": "stabilityai/stable-diffusion-xl-base-1.0", "house": "pipelines/house"},
  "clip": {"architecture": "ViT-L-14-quickgelu", "checkpoint": "clip/ViT-L-14.safetensors"},
  "heads": "heads",
  "regions": "CIDAS/clipseg-rd64-refined",
  "device": "auto",
  "dtype": "auto"
}
```

Relative paths resolve against the folder of the file. A source that is no path there is a hub id
`owner/name`.
"""

import hashlib
import json
import re
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, ValidationError

from ethical_lens.results import Concept, Value

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")

DeviceName = Literal["auto", "cpu", "cuda"]
DtypeName = Literal["auto", "float32", "float16", "bfloat16"]


class SourcesError(ValueError):
    """The file of model sources is unreadable, or names something that is not there."""


class ClipSource(Value):
    """An open_clip encoder: its architecture's name and a local checkpoint file.

    `config` is a model-config JSON for an architecture that open_clip does not know; its file
    name without suffix must be `architecture`. OpenAI's own weights need an architecture whose
    name ends in `-quickgelu`: with another activation they load and give wrong features.
    """

    architecture: str = Field(min_length=1)
    checkpoint: Path
    config: Path | None = None


class ModelSources(Value):
    """What to load. `pipelines` and `regions` are local folders or hub ids.

    `heads` is a folder with `<concept>.safetensors` or `<concept>.pt` for each `Concept`.
    `dtype` is for the pipelines ("auto": float32 on the CPU, float16 on CUDA); scrutiny always
    computes in float32, so that a verdict does not depend on it.
    """

    pipelines: dict[str, str] = Field(min_length=1)
    clip: ClipSource
    heads: Path
    regions: str = Field(min_length=1)
    device: DeviceName = "auto"
    dtype: DtypeName = "auto"

    @classmethod
    def read(cls, path: Path) -> Self:
        """The sources of a JSON file, local ones made absolute and known to exist.

        Raises `SourcesError` that names every field that is wrong and what to do about it.
        """
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise SourcesError(
                f"{path}: cannot be read ({error.strerror}). Name an existing file of model "
                "sources; `python -m ethical_lens.mini build DIR` writes one."
            ) from error
        except ValueError as error:
            raise SourcesError(f"{path}: is not JSON ({error}).") from error
        try:
            raw = cls.model_validate(data)
        except ValidationError as error:
            lines = [
                f"{'.'.join(str(part) for part in problem['loc']) or 'file'}: {problem['msg']}"
                for problem in error.errors()
            ]
            raise SourcesError(_report(path, lines)) from error
        return raw._resolved(path)

    def _resolved(self, path: Path) -> Self:
        folder, problems = path.resolve().parent, list[str]()

        def existing(field: str, value: Path, *, is_folder: bool) -> Path:
            found = folder / value.expanduser()
            if not (found.is_dir() if is_folder else found.is_file()):
                kind = "folder" if is_folder else "file"
                problems.append(f"{field}: no {kind} at {found}. Put it there or correct the path.")
            return found

        def path_or_hub(field: str, value: str) -> str:
            found = folder / Path(value).expanduser()
            if found.exists():
                return str(found)
            if not HUB_ID.fullmatch(value):
                problems.append(
                    f"{field}: {value!r} is neither a folder at {found} nor a hub id "
                    "`owner/name`. Correct it or fetch the model."
                )
            return value

        clip = self.clip
        resolved = self.model_copy(
            update={
                "pipelines": {
                    name: path_or_hub(f"pipelines.{name}", source)
                    for name, source in self.pipelines.items()
                },
                "clip": clip.model_copy(
                    update={
                        "checkpoint": existing("clip.checkpoint", clip.checkpoint, is_folder=False),
                        "config": clip.config
                        and existing("clip.config", clip.config, is_folder=False),
                    }
                ),
                "heads": existing("heads", self.heads, is_folder=True),
                "regions": path_or_hub("regions", self.regions),
            }
        )
        if clip.config is not None and clip.config.stem != clip.architecture:
            problems.append(
                f"clip.config: the file is named {clip.config.name}, the architecture "
                f"{clip.architecture!r}. Give both the same name."
            )
        if problems:
            raise SourcesError(_report(path, problems))
        return resolved

    def pipeline(self, name: str) -> str:
        """The source of the pipeline `name`. Raises `SourcesError` where there is none."""
        if name not in self.pipelines:
            raise SourcesError(
                f"pipelines: none is named {name!r}; there are {', '.join(sorted(self.pipelines))}."
            )
        return self.pipelines[name]

    def scrutiny_digests(self) -> dict[str, str]:
        """Digest by model for the record of decisions: `clip`, `regions`, `heads/<concept>`.

        Reads every file whole, so call it once per process. Raises `SourcesError` where a head
        is missing.
        """
        clip = hashlib.sha256(self.clip.architecture.encode())
        for file in filter(None, (self.clip.checkpoint, self.clip.config)):
            clip.update(digest_of(str(file)).encode())
        digests = {"clip": f"sha256:{clip.hexdigest()}", "regions": digest_of(self.regions)}
        for concept in Concept:
            digests[f"heads/{concept.value}"] = digest_of(str(head_file(self.heads, concept)))
        return digests


def head_file(directory: Path, concept: Concept) -> Path:
    """The file of one head, safetensors before `.pt`. Raises `SourcesError` if neither is there."""
    for suffix in ("safetensors", "pt"):
        file = directory / f"{concept.value}.{suffix}"
        if file.is_file():
            return file
    raise SourcesError(
        f"heads: {directory} holds no {concept.value}.safetensors and no {concept.value}.pt. "
        "All five heads are needed; without one nothing can be released."
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


def _report(path: Path, problems: list[str]) -> str:
    return f"{path}:\n" + "\n".join(f"  {problem}" for problem in problems)
