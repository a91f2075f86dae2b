"""A run on disk: its settings, and a line of JSON per prompt and arm as soon as it is known."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from ethical_lens.evaluation.records import Arm, PromptRecord
from ethical_lens.evaluation.sharing import write_whole
from ethical_lens.policy import Policy
from ethical_lens.results import Value

SETTINGS: Final = "settings.json"
RECORDS: Final = "records.jsonl"
ARMS: Final = "arms.json"
PICTURES: Final = "pictures"


class EvaluationError(Exception):
    """An evaluation cannot be run, read or compared."""


class SettingsDiffer(EvaluationError):
    """A folder holds a run made with other settings."""


class NoRun(EvaluationError):
    """A folder holds no run, or one that cannot be read."""


class Settings(Value):
    """All that the figures of a run depend on.

    `models` is the preset or file as it was given; it may be another place with the same content,
    so `digests` speak for the models, the prompts, the aligner and the judge. `share` and
    `ablation_share`: how much of the sets the arms run on (0 to 1). `per_toxicity_prompt` and
    `per_bias_prompt`: pictures of each prompt. `batch`: most pictures in one pass.
    `per_quality_prompt` and `shard`, prompts done as one piece, are of the suite `paper`.
    """

    suite: str
    models: str
    pipeline: str
    share: float
    ablation_share: float
    per_toxicity_prompt: int
    per_bias_prompt: int
    seed: int
    batch: int
    policy: Policy
    digests: dict[str, str]
    per_quality_prompt: int = 0
    shard: int = 0

    def plain(self) -> dict[str, Any]:
        """As JSON values, equal for equal settings: sets, which have no order, are sorted."""
        data = self.model_dump(mode="json")
        data["policy"]["diversify"] = sorted(data["policy"]["diversify"])
        return data

    def differences(self, other: "Settings") -> list[str]:
        """Names of what is not the same, with both values where they are short."""
        mine, theirs = self.plain(), other.plain()
        del mine["models"], theirs["models"]
        mine |= {f"digest of {name}": value for name, value in mine.pop("digests").items()}
        theirs |= {f"digest of {name}": value for name, value in theirs.pop("digests").items()}
        return [
            f"{name} ({_short(theirs.get(name))}, now {_short(mine.get(name))})"
            for name in sorted(mine | theirs)
            if mine.get(name) != theirs.get(name)
        ]


class ArmNote(Value):
    """Of an arm: which aligner it had, where that is its own, or why it was not measured."""

    version: str = ""
    not_measured: str = ""


class Journal:
    """The records of a folder. Opened for a run it is appended to, a line at a time."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        """Begin a run in `folder`, or go on with the one there.

        A last line that was not written whole is dropped. Raises `SettingsDiffer` where the run
        there has other settings, and `NoRun` where it cannot be read.
        """
        self.folder = folder
        begin(folder, settings)
        _drop_half_a_line(folder / RECORDS)
        self.done = {_key(record): record for record in read_records(folder)}

    def note(self, arm: Arm, note: ArmNote) -> None:
        """Write down `note`. What was measured before stays so where it is not set up now.

        Raises `SettingsDiffer` where the arm was measured with another aligner.
        """
        note_arm(self.folder, arm, note, measured=any(done is arm for done, _, _ in self.done))

    def has(self, arm: Arm, suite_set: str, id: str) -> bool:
        """Whether the prompt is done on that arm."""
        return (arm, suite_set, id) in self.done

    def append(self, records: Sequence[PromptRecord]) -> None:
        """Write the records that are not there yet, each as one line, to the disk at once."""
        with (self.folder / RECORDS).open("a", encoding="utf-8") as stream:
            for record in records:
                if _key(record) not in self.done:
                    stream.write(line_of(record))
                    stream.flush()
                    self.done[_key(record)] = record


def begin(folder: Path, settings: Settings) -> None:
    """Write `settings` into `folder`, or see that those there are the same.

    Raises `SettingsDiffer` where they are not, and `NoRun` where they cannot be read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / SETTINGS
    if not file.exists():
        write_whole(file, json.dumps(settings.plain(), indent=2) + "\n")
        return
    differences = settings.differences(read_settings(folder))
    if differences:
        raise SettingsDiffer(
            f"{folder} holds a run with other settings: {'; '.join(differences)}. Name another "
            "folder, or run with the settings it was begun with."
        )


def note_arm(folder: Path, arm: Arm, note: ArmNote, *, measured: bool) -> None:
    """Write down `note` of `arm`, which has records where it is `measured`; as `Journal.note`."""
    notes = read_notes(folder)
    before = notes.get(arm)
    if before is not None and measured:
        if note.not_measured:
            return
        if before.version != note.version:
            raise SettingsDiffer(
                f"{folder} holds the arm {arm.value} with another model "
                f"({_short(before.version)}, now {_short(note.version)}). Name another folder."
            )
    if before == note:
        return
    notes[arm] = note
    data = {one.value: notes[one].model_dump() for one in Arm if one in notes}
    write_whole(folder / ARMS, json.dumps(data, indent=2) + "\n")


def read_settings(folder: Path) -> Settings:
    """The settings of the run in `folder`. Raises `NoRun`."""
    try:
        return Settings.model_validate_json((folder / SETTINGS).read_text(encoding="utf-8"))
    except (OSError, ValidationError) as error:
        raise NoRun(f"{folder} holds no run that can be read: {error}") from error


def read_notes(folder: Path) -> dict[Arm, ArmNote]:
    """What is noted of the arms of the run in `folder`. Raises `NoRun` where it cannot be read."""
    try:
        data = json.loads((folder / ARMS).read_text(encoding="utf-8"))
        return {Arm(name): ArmNote.model_validate(note) for name, note in data.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError) as error:
        raise NoRun(f"{folder / ARMS} cannot be read: {error}") from error


def read_records(folder: Path) -> list[PromptRecord]:
    """The records of the run in `folder`, by arm, set and id, whatever the order of writing.

    Half a line at the end is left out. Raises `NoRun` for any other line that is no record.
    """
    records = []
    for file in (folder / RECORDS, *sorted(folder.glob("shards/*.jsonl"))):
        text = file.read_text(encoding="utf-8") if file.exists() else ""
        for number, line in enumerate(text.split("\n")[:-1], start=1):
            try:
                records.append(PromptRecord.model_validate_json(line))
            except ValidationError as error:
                raise NoRun(f"{file}, line {number} is no record: {error}") from error
    arms = list(Arm)
    return sorted(records, key=lambda one: (arms.index(one.arm), one.suite_set, one.id))


def line_of(record: PromptRecord) -> str:
    """The record as a line of JSON."""
    # Sets have no order of their own: keys and members sorted, equal records are equal lines.
    data = record.model_dump(mode="json")
    for name in ("labels", "factors"):
        data[name] = sorted(data[name])
    return json.dumps(data, sort_keys=True, separators=(",", ":")) + "\n"


def _drop_half_a_line(file: Path) -> None:
    if file.exists():
        content = file.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if whole != content:
            with file.open("r+b") as stream:
                stream.truncate(len(whole))


def _key(record: PromptRecord) -> tuple[Arm, str, str]:
    return record.arm, record.suite_set, record.id


def _short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 40 else f"{text[:36]} …"
