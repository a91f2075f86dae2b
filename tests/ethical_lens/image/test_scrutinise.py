"""Every way a picture can go, with the real stand-in models.

The scores of random models mean nothing, but they are fixed: each test looks up what a picture
scores before and after its blur, and puts the threshold where its way leads.
"""

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from ethical_lens.decide import SEXUAL_FLOORS
from ethical_lens.image.areas import region_queries
from ethical_lens.image.blur import blur_region
from ethical_lens.image.encoder import ImageEncoder
from ethical_lens.image.faces import FaceReader
from ethical_lens.image.heads import Heads, new_head
from ethical_lens.image.regions import Mask, RegionFinder
from ethical_lens.image.scrutineer import Scrutineer
from ethical_lens.image.scrutinise import (
    ScrutinyOutcome,
    ScrutinyRequest,
    scrutinise,
)
from ethical_lens.policy import (
    DEFAULT_CONCEPTS,
    OUT_OF_REACH,
    BlurSettings,
    ConceptRule,
    Policy,
    Scope,
)
from ethical_lens.results import Concept, PictureAction
from ethical_lens.sources import ModelSources

Scores = dict[Concept, float]


def policy(
    thresholds: dict[Concept, float], *, blur: BlurSettings | None = None, rounds: int = 2
) -> Policy:
    """Only the concepts in `thresholds` can fire."""
    concepts = {
        concept: ConceptRule(threshold=thresholds.get(concept, OUT_OF_REACH), scope=rule.scope)
        for concept, rule in DEFAULT_CONCEPTS.items()
    }
    return Policy(concepts=concepts, blur=blur or BlurSettings(), rounds=rounds)


def request(
    image: Image.Image,
    rules: Policy,
    *,
    round: int = 1,
    under_twenty: bool = False,
    figures: tuple[str, ...] = (),
) -> ScrutinyRequest:
    return ScrutinyRequest(
        image=image, round=round, under_twenty=under_twenty, figures=figures, policy=rules
    )


@pytest.fixture(scope="module")
def before_and_after(
    scrutineer: Scrutineer, region_finder: RegionFinder, pictures: list[Image.Image]
) -> list[tuple[Image.Image, Scores, Scores]]:
    """Each picture with its scores, and its scores once "nude body" is blurred."""
    blurred = []
    for picture in pictures:
        mask = region_finder.find(picture, "nude body", BlurSettings())
        assert mask is not None
        blurred.append(blur_region(picture, mask, BlurSettings()))
    return list(zip(pictures, scrutineer.score(pictures), scrutineer.score(blurred), strict=True))


Pick = Callable[[Callable[[Scores, Scores], bool]], tuple[Image.Image, Scores, Scores]]


@pytest.fixture
def pick(before_and_after: list[tuple[Image.Image, Scores, Scores]]) -> Pick:
    """The first picture whose scores before and after are as wanted."""

    def find(wanted: Callable[[Scores, Scores], bool]) -> tuple[Image.Image, Scores, Scores]:
        for picture, before, after in before_and_after:
            if wanted(before, after):
                return picture, before, after
        pytest.fail("no picture of the batch goes this way; choose other seeds")

    return find


Judge = Callable[[ScrutinyRequest], ScrutinyOutcome]


@pytest.fixture
def judge(scrutineer: Scrutineer, region_finder: RegionFinder, sees_nobody: FaceReader) -> Judge:
    return lambda asked: scrutinise([asked], scrutineer, region_finder, sees_nobody)[0]


def test_nothing_fires_released(judge: Judge, pictures: list[Image.Image]) -> None:
    outcome = judge(request(pictures[0], policy({})))

    assert outcome.final.action is PictureAction.RELEASE
    assert outcome.first == outcome.final
    assert outcome.blurred is None


def test_blurred_then_released(judge: Judge, pick: Pick) -> None:
    picture, before, after = pick(lambda b, a: b[Concept.NUDE] > a[Concept.NUDE] + 0.05)
    threshold = (before[Concept.NUDE] + after[Concept.NUDE]) / 2
    original = np.asarray(picture).copy()

    outcome = judge(request(picture, policy({Concept.NUDE: threshold})))

    assert outcome.first.action is PictureAction.BLUR
    assert outcome.first.scores == pytest.approx(before, abs=1e-4)
    assert outcome.final.action is PictureAction.RELEASE
    assert outcome.final.scores == pytest.approx(after, abs=1e-4)
    assert outcome.blurred is not None
    assert outcome.blurred.size == picture.size
    assert (np.asarray(outcome.blurred) != original).any()
    assert (np.asarray(picture) == original).all()


def test_blurred_and_still_firing_is_blocked(judge: Judge, pick: Pick) -> None:
    picture, before, _ = pick(lambda b, a: a[Concept.NUDE] > b[Concept.NUDE] + 0.05)

    outcome = judge(request(picture, policy({Concept.NUDE: before[Concept.NUDE] - 0.01})))

    assert outcome.first.action is PictureAction.BLUR
    assert (outcome.final.action, outcome.final.reason) == (
        PictureAction.BLOCK,
        "region_still_toxic",
    )


@pytest.mark.parametrize(
    ("round", "action"), [(1, PictureAction.REPAINT), (2, PictureAction.BLOCK)]
)
def test_a_blur_that_makes_the_whole_picture_fire_is_seen(
    judge: Judge, pick: Pick, round: int, action: PictureAction
) -> None:
    picture, before, after = pick(lambda b, a: a[Concept.CULTURE] > b[Concept.CULTURE] + 0.05)
    rules = policy(
        {
            Concept.NUDE: before[Concept.NUDE] - 0.01,
            Concept.CULTURE: (before[Concept.CULTURE] + after[Concept.CULTURE]) / 2,
        }
    )

    outcome = judge(request(picture, rules, round=round))

    assert outcome.first.action is PictureAction.BLUR
    assert outcome.final.action is action
    assert Concept.CULTURE in outcome.final.concepts


@pytest.mark.parametrize("concept", [Concept.NSFW, Concept.POLITIC, Concept.CULTURE])
@pytest.mark.parametrize(
    ("round", "action"), [(1, PictureAction.REPAINT), (2, PictureAction.BLOCK)]
)
def test_the_whole_picture_is_repainted_once_then_blocked(
    judge: Judge, pick: Pick, concept: Concept, round: int, action: PictureAction
) -> None:
    picture, before, _ = pick(lambda b, a: True)
    rules = policy({concept: before[concept] - 0.01, Concept.NUDE: 0.0})

    outcome = judge(request(picture, rules, round=round))

    assert outcome.final.action is action
    assert outcome.final.concepts == {concept, Concept.NUDE}
    assert outcome.blurred is None


def test_a_region_that_is_not_found_goes_to_a_person(judge: Judge, pick: Pick) -> None:
    picture, before, _ = pick(lambda b, a: True)
    rules = policy(
        {Concept.PUBLIC: before[Concept.PUBLIC] - 0.01}, blur=BlurSettings(mask_threshold=0.999)
    )

    outcome = judge(request(picture, rules))

    assert outcome.first.action is PictureAction.BLUR
    assert (outcome.final.action, outcome.final.reason) == (
        PictureAction.REVIEW,
        "region_not_found",
    )
    assert outcome.final.findings == outcome.first.findings
    assert outcome.final.scores == outcome.first.scores
    assert outcome.blurred is None


@pytest.mark.parametrize("concept", [Concept.NUDE, Concept.NSFW])
@pytest.mark.parametrize("round", [1, 2])
def test_sexual_and_under_twenty_is_blocked_and_never_repaired(
    judge: Judge, pick: Pick, concept: Concept, round: int
) -> None:
    picture, before, _ = pick(lambda b, a: True)
    rules = policy({concept: before[concept] - 0.01})

    outcome = judge(request(picture, rules, round=round, under_twenty=True))

    assert (outcome.final.action, outcome.final.reason) == (
        PictureAction.BLOCK,
        "sexual_and_under_twenty",
    )
    assert outcome.blurred is None


def test_unreadable_scores_go_to_a_person(
    sources: ModelSources,
    region_finder: RegionFinder,
    sees_nobody: FaceReader,
    pictures: list[Image.Image],
) -> None:
    encoder = ImageEncoder.load(sources.clip, torch.device("cpu"))
    heads = {concept: new_head(encoder.dimension) for concept in Concept}
    last: Any = heads[Concept.POLITIC][-1]
    last.bias.data.fill_(math.nan)
    broken = Scrutineer(encoder, Heads(heads), {})

    (outcome,) = scrutinise([request(pictures[0], policy({}))], broken, region_finder, sees_nobody)

    assert (outcome.final.action, outcome.final.reason) == (
        PictureAction.REVIEW,
        "scores_unreadable",
    )
    assert "politic" in outcome.final.explanation


class RecordingFinder(RegionFinder):
    """Remembers what was looked for, and how often; `absent` names what is then not found."""

    queries: list[str]
    absent: set[str]
    looks: int

    def find_all(
        self, image: Image.Image, queries: Sequence[str], settings: BlurSettings
    ) -> list[Mask | None]:
        self.queries += queries
        self.looks += bool(queries)
        found = super().find_all(image, queries, settings)
        return [
            None if query in self.absent else mask
            for query, mask in zip(queries, found, strict=True)
        ]


@pytest.fixture(scope="module")
def loaded_recording(sources: ModelSources) -> RecordingFinder:
    return RecordingFinder.load(sources.regions, "cpu")


@pytest.fixture
def recording(loaded_recording: RecordingFinder) -> RecordingFinder:
    loaded_recording.queries, loaded_recording.absent, loaded_recording.looks = [], set(), 0
    return loaded_recording


@pytest.mark.parametrize(
    ("figures", "queries"),
    [
        ((), ["face"]),
        (("Ada Example",), ["Ada Example's face"]),
        (("Ada Example", "Bo Sample"), ["Ada Example's face", "Bo Sample's face"]),
    ],
)
def test_named_faces_are_looked_for_or_else_every_face(
    scrutineer: Scrutineer,
    recording: RecordingFinder,
    sees_nobody: FaceReader,
    pictures: list[Image.Image],
    figures: tuple[str, ...],
    queries: list[str],
) -> None:
    rules = policy({Concept.PUBLIC: 0.0})

    asked = request(pictures[0], rules, figures=figures)

    (outcome,) = scrutinise([asked], scrutineer, recording, sees_nobody)

    assert recording.queries == queries
    assert recording.looks == 1
    assert outcome.blurred is not None


def test_one_of_two_named_figures_is_enough_to_blur(
    scrutineer: Scrutineer,
    recording: RecordingFinder,
    sees_nobody: FaceReader,
    pictures: list[Image.Image],
) -> None:
    recording.absent = {"Ada Example's face"}
    asked = request(
        pictures[0], policy({Concept.PUBLIC: 0.0}), figures=("Ada Example", "Bo Sample")
    )

    assert scrutinise([asked], scrutineer, recording, sees_nobody)[0].blurred is not None
    recording.absent.add("Bo Sample's face")
    (outcome,) = scrutinise([asked], scrutineer, recording, sees_nobody)
    assert outcome.final.reason == "region_not_found"


@pytest.mark.parametrize("absent", ["nude body", "face"])
def test_every_concept_that_fires_must_be_found(
    scrutineer: Scrutineer,
    recording: RecordingFinder,
    sees_nobody: FaceReader,
    pictures: list[Image.Image],
    absent: str,
) -> None:
    asked = request(pictures[0], policy({Concept.PUBLIC: 0.0, Concept.NUDE: 0.0}))
    (both,) = scrutinise([asked], scrutineer, recording, sees_nobody)
    assert both.blurred is not None
    assert (recording.queries, recording.looks) == (["nude body", "face"], 1)

    recording.absent = {absent}
    (outcome,) = scrutinise([asked], scrutineer, recording, sees_nobody)

    assert outcome.final.reason == "region_not_found"
    assert outcome.blurred is None


def test_a_concept_without_a_region_goes_to_a_person(
    judge: Judge, pictures: list[Image.Image]
) -> None:
    rules = policy({})
    region = ConceptRule(threshold=0.0, scope=Scope.REGION)
    rules = rules.model_copy(update={"concepts": rules.concepts | {Concept.POLITIC: region}})

    outcome = judge(request(pictures[0], rules))

    assert region_queries(Concept.POLITIC, ("Ada Example",)) == ()
    assert outcome.first.action is PictureAction.BLUR
    assert outcome.final.reason == "region_not_found"


class CountingScrutineer(Scrutineer):
    """Remembers how many pictures each call scored."""

    calls: list[int]

    def score(self, images: list[Image.Image]) -> list[Scores]:  # type: ignore[override]
        self.calls.append(len(images))
        return super().score(images)


def test_a_mixed_batch_is_judged_like_single_pictures_in_two_encodes(
    sources: ModelSources,
    judge: Judge,
    region_finder: RegionFinder,
    sees_nobody: FaceReader,
    pick: Pick,
) -> None:
    nude, culture = Concept.NUDE, Concept.CULTURE
    helped, before, after = pick(lambda b, a: b[nude] > a[nude] + 0.05)
    worse, worse_before, _ = pick(lambda b, a: a[nude] > b[nude] + 0.05)
    asked = [
        request(helped, policy({})),
        request(helped, policy({nude: (before[nude] + after[nude]) / 2})),
        request(helped, policy({culture: before[culture] - 0.01})),
        request(worse, policy({nude: worse_before[nude] - 0.01})),
        request(worse, policy({nude: 0.0}), under_twenty=True),
        request(worse, policy({nude: 0.0}, blur=BlurSettings(mask_threshold=0.999))),
    ]
    counting = CountingScrutineer.load(sources)
    counting.calls = []

    outcomes = scrutinise(asked, counting, region_finder, sees_nobody)

    assert [outcome.final.action for outcome in outcomes] == [
        PictureAction.RELEASE,
        PictureAction.RELEASE,
        PictureAction.REPAINT,
        PictureAction.BLOCK,
        PictureAction.BLOCK,
        PictureAction.REVIEW,
    ]
    assert [outcome.blurred is not None for outcome in outcomes] == [
        False, True, False, True, False, False,
    ]  # fmt: skip
    assert counting.calls == [6, 2]
    for one, together in zip(asked, outcomes, strict=True):
        alone = judge(one)
        assert (alone.final.action, alone.final.reason) == (
            together.final.action,
            together.final.reason,
        )
        assert alone.final.scores == pytest.approx(together.final.scores, abs=1e-4)


def test_an_empty_batch(
    scrutineer: Scrutineer, region_finder: RegionFinder, sees_nobody: FaceReader
) -> None:
    assert scrutinise([], scrutineer, region_finder, sees_nobody) == []


@pytest.mark.parametrize("pair", list(itertools.combinations(Concept, 2)), ids="+".join)
@pytest.mark.parametrize("under_twenty", [False, True])
def test_every_pair_of_heads_that_fire(
    judge: Judge, pictures: list[Image.Image], pair: tuple[Concept, Concept], under_twenty: bool
) -> None:
    fired = frozenset(pair)
    rules = policy(dict.fromkeys(pair, 0.0))
    for round in (1, 2):
        outcome = judge(request(pictures[0], rules, round=round, under_twenty=under_twenty))

        found = outcome.final.scores
        sexual = {c for c, floor in SEXUAL_FLOORS.items() if c in fired or found[c] >= floor}
        assert outcome.final.concepts == (fired | sexual if under_twenty else fired)
        if under_twenty and sexual:
            expected = (PictureAction.BLOCK, "sexual_and_under_twenty")
        elif fired == {Concept.NUDE, Concept.PUBLIC}:  # blurred, and the threshold is 0
            expected = (PictureAction.BLOCK, "region_still_toxic")
        elif round == 1:
            expected = (PictureAction.REPAINT, "picture_toxic")
        else:
            expected = (PictureAction.BLOCK, "picture_still_toxic")
        assert (outcome.final.action, outcome.final.reason) == expected
        assert (outcome.blurred is not None) == (expected[1] == "region_still_toxic")
