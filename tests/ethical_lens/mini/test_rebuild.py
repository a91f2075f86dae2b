"""The order of the models: what is trained again, what goes on, and what is installed."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from ethical_lens.manifest import verify, write_manifest
from ethical_lens.mini import __main__ as command
from ethical_lens.mini import rebuild, weights
from ethical_lens.mini.bars import Share
from ethical_lens.mini.rebuild import PARTS, Part, chosen
from ethical_lens.mini.training.loop import Schedule, train

STEPS = 4


class World:
    """Two parts, the second made of the first; `steps` are those that were trained, in order."""

    def __init__(self, folder: Path) -> None:
        self.work, self.models = folder / "work", folder / "work" / "models"
        self.steps: list[str] = []
        self.interrupt_at: str | None = None
        self.shares = {"first": 1.0, "second": 1.0}
        self.parts = (
            Part("first", "first", self.training("first"), (), self.measuring("first"),
                 {"right": 0.9}),
            Part("second", "second", self.training("second"), ("first",),
                 self.measuring("second"), {"right": 0.9}),
        )  # fmt: skip

    def training(self, name: str) -> Callable[[Path, Path], None]:
        def run(work: Path, out: Path) -> None:
            torch.manual_seed(0)
            module = nn.Linear(1, 1)

            def loss_at(step: int) -> torch.Tensor:
                if self.interrupt_at == f"{name}/{step}":
                    raise KeyboardInterrupt
                self.steps.append(f"{name}/{step}")
                loss: torch.Tensor = module(torch.ones(1, 1)).square().mean()
                return loss

            train(name, [module], Schedule(STEPS, 0.1), loss_at, work)
            out.mkdir(parents=True, exist_ok=True)
            (out / "weights.txt").write_text(f"{module.weight.item()}", encoding="utf-8")

        return run

    def measuring(self, name: str) -> Callable[[Path, int], dict[str, Share]]:
        return lambda models, count: {"right": Share(self.shares[name], count)}

    def train(self) -> list[str]:
        """Names of the parts whose training was begun or went on."""
        self.steps.clear()
        for _ in rebuild.rebuild(self.parts, self.work, self.models):
            pass
        return list(dict.fromkeys(step.partition("/")[0] for step in self.steps))


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """The two parts in place of the models of the world, and a package with older ones."""
    world, package = World(tmp_path), tmp_path / "package"
    for part in world.parts:
        (package / part.folder).mkdir(parents=True)
        (package / part.folder / "weights.txt").write_text("older", encoding="utf-8")
    write_manifest(package)
    monkeypatch.setattr(rebuild, "PARTS", world.parts)
    monkeypatch.setattr(weights, "FOLDER", package)
    return world


def run(world: World, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    words = ["ethical_lens.mini", *arguments, "--work", str(world.work)]
    monkeypatch.setattr(sys, "argv", words)
    return command.main()


def installed(part: str) -> str:
    return (weights.FOLDER / part / "weights.txt").read_text(encoding="utf-8")


def test_parts_are_chosen_by_name_and_in_order() -> None:
    assert [part.name for part in chosen(["heads", "clip"])] == ["clip", "heads"]
    assert chosen([]) == list(PARTS)
    with pytest.raises(ValueError, match=r"no part is named painters; there are .*painter"):
        chosen(["painters"])


def test_parts_come_after_those_they_are_made_of() -> None:
    there = set[str]()
    for part in PARTS:
        assert {folder.partition("/")[0] for folder in part.made_of} <= there, part.name
        there.add(part.folder)


def test_a_finished_part_is_not_trained_again(world: World) -> None:
    assert world.train() == ["first", "second"]
    assert world.train() == []
    assert not list(world.work.glob("*.state.pt"))


def test_a_part_is_trained_again_once_its_note_is_removed(world: World) -> None:
    world.train()
    (world.work / "second.json").unlink()
    assert world.train() == ["second"]
    assert world.steps == [f"second/{step}" for step in range(STEPS)]


def test_a_part_is_trained_again_once_what_it_is_made_of_has_changed(world: World) -> None:
    world.train()
    (world.models / "first" / "weights.txt").write_text("another", encoding="utf-8")
    assert world.train() == ["second"]


def test_an_interrupted_part_goes_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ethical_lens.mini.training.loop._SAVE_EVERY_SECONDS", 0.0)
    world.interrupt_at = "second/2"
    with pytest.raises(KeyboardInterrupt):
        world.train()
    world.interrupt_at = None
    assert world.train() == ["second"]
    assert world.steps == ["second/2", "second/3"]


def test_an_interrupted_part_begins_anew_where_it_is_made_of_something_else_now(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ethical_lens.mini.training.loop._SAVE_EVERY_SECONDS", 0.0)
    world.interrupt_at = "second/2"
    with pytest.raises(KeyboardInterrupt):
        world.train()
    world.interrupt_at = None
    (world.models / "first" / "weights.txt").write_text("another", encoding="utf-8")
    world.train()
    assert world.steps == [f"second/{step}" for step in range(STEPS)]


def test_what_a_part_is_made_of_and_nobody_trained_here_is_the_packages(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(world, monkeypatch, "build", "second") == 0
    assert (world.models / "first" / "weights.txt").read_text(encoding="utf-8") == "older"
    assert installed("first") == "older"
    assert installed("second") != "older"
    verify(weights.FOLDER)


def test_each_part_is_installed_when_it_passes_whatever_others_do(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    world.shares["first"] = 0.5
    assert run(world, monkeypatch, "build") == 1
    assert installed("first") == "older"
    assert installed("second") != "older"
    out = capsys.readouterr().out
    assert "| first | right | 0.500 | 0.90 | **missed** |" in out
    assert "first: not installed" in out
    assert weights.measured(weights.FOLDER) == {"second": {"right": 1.0}}


def test_what_was_not_checked_is_not_installed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(world, monkeypatch, "train") == 0
    assert run(world, monkeypatch, "install") == 1
    assert installed("second") == "older"
    assert run(world, monkeypatch, "check", "--count", "10") == 0
    assert run(world, monkeypatch, "install") == 0
    assert installed("second") != "older"


def test_what_was_trained_anew_is_checked_anew_before_it_is_installed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(world, monkeypatch, "build") == 0
    (world.work / "second.json").unlink()
    assert run(world, monkeypatch, "train", "second") == 0
    assert run(world, monkeypatch, "install", "second") == 1
    assert run(world, monkeypatch, "check", "second") == 0
    assert run(world, monkeypatch, "install", "second") == 0


def test_an_unknown_part_is_named(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(world, monkeypatch, "train", "third") == 1
    assert "no part is named third; there are first, second" in capsys.readouterr().err
