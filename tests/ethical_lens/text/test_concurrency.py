"""One aligner serves many threads (fault F7), and importing it changes nothing (fault F17)."""

import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from ethical_lens.policy import Policy
from ethical_lens.results import Alignment
from ethical_lens.text.deck import draw_pictures
from ethical_lens.text.rules import RuleAligner

POLICY = Policy()
PEOPLE = ["doctor", "nurse", "chef", "pilot", "farmer", "judge", "sailor", "poet", "baker", "clown"]
PLACES = ["a naked", "a happy", "Captain Ardo and a", "a bloody", "a sexy"]
PROMPTS = [
    f"{place} {person} number {i}"
    for i, (place, person) in enumerate((place, person) for place in PLACES for person in PEOPLE)
]


def align(aligner: RuleAligner, prompt: str) -> Alignment:
    verdict = aligner.scrutinise(prompt, "blurry", POLICY)
    draws, _ = draw_pictures({}, verdict, POLICY, 4, random.Random(prompt))
    return aligner.merge(verdict, draws, POLICY)


def test_fifty_threads_share_one_aligner_and_nothing_crosses() -> None:
    assert len(PROMPTS) == 50
    expected = {prompt: align(RuleAligner(), prompt) for prompt in PROMPTS}
    shared = RuleAligner()
    with ThreadPoolExecutor(max_workers=50) as pool:
        for _ in range(2):
            results = dict(zip(PROMPTS, pool.map(lambda p: align(shared, p), PROMPTS), strict=True))
            assert results == expected
    for number, prompt in enumerate(PROMPTS):
        for picture in expected[prompt].pictures:
            assert picture.prompt.endswith(f"number {number}")


def test_importing_draws_no_random_number_and_loads_nothing_heavy() -> None:
    code = (
        "import random, sys; random.seed(3); state = random.getstate()\n"
        "import ethical_lens.text.choose, ethical_lens.text.deck\n"
        "assert random.getstate() == state\n"
        "heavy = {'torch', 'django', 'celery', 'transformers', 'numpy'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "from ethical_lens.text import data\n"
        "assert data._bytes.cache_info().currsize == 0, 'lists were read at import'\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
