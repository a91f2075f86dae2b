"""What importing this package must not do."""

import subprocess
import sys

import pytest

TORCH_FREE = [
    "ethical_lens",
    "ethical_lens.results",
    "ethical_lens.policy",
    "ethical_lens.decide",
    "ethical_lens.finding",
    "ethical_lens.sources",
    "ethical_lens.generation",
    "ethical_lens.generation.errors",
    "ethical_lens.generation.request",
    "ethical_lens.image",
    "ethical_lens.image.errors",
]

HEAVY = ["torch", "torchvision", "diffusers", "transformers", "open_clip", "numpy", "PIL"]

IMPORT_ALL = """
import hashlib, importlib, pickle, pkgutil, random
import numpy, torch
import rich.style  # draws an identity for itself; httpx loads it where it is installed

def states():
    return (
        hashlib.sha256(torch.get_rng_state().numpy().tobytes()).hexdigest(),
        hashlib.sha256(pickle.dumps(numpy.random.get_state())).hexdigest(),
        hashlib.sha256(pickle.dumps(random.getstate())).hexdigest(),
    )

import ethical_lens
before = states()
names = [m.name for m in pkgutil.walk_packages(ethical_lens.__path__, "ethical_lens.")]
for name in names:
    if not name.endswith("__main__"):
        importlib.import_module(name)
assert "ethical_lens.image.scrutinise" in names
assert states() == before, "an import drew from or seeded a global generator"
"""


def run(code: str) -> None:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_light_modules_stay_light() -> None:
    run(
        "import importlib, sys\n"
        f"for name in {TORCH_FREE}:\n"
        "    importlib.import_module(name)\n"
        f"    heavy = sorted(set({HEAVY}) & set(sys.modules))\n"
        "    assert not heavy, f'{name} imports {heavy}'"
    )


@pytest.mark.models
def test_imports_leave_every_global_generator_alone() -> None:
    run(IMPORT_ALL)
