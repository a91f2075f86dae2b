"""Editing faces in the miniature world: what is edited, what is kept, and what never is."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ethical_lens.generation.inpainter import Inpainter
from ethical_lens.generation.painter import Painter
from ethical_lens.generation.request import PaintRequest
from ethical_lens.image.diffusion_editor import DiffusionEditor
from ethical_lens.image.errors import ModelFailed
from ethical_lens.image.face_edit import (
    ATTEMPTS,
    Candidate,
    FaceEdit,
    draw_to_show,
    edit_faces,
    face_mask,
    unchanged_outside,
)
from ethical_lens.image.faces import FaceReader
from ethical_lens.image.readings import FaceReading
from ethical_lens.image.regions import RegionFinder
from ethical_lens.image.scrutineer import Scrutineer
from ethical_lens.image.scrutinise import ScrutinyRequest, scrutinise
from ethical_lens.mini.world.scene import Person
from ethical_lens.policy import DEFAULT_CONCEPTS, Policy, Scope
from ethical_lens.results import (
    Attribute,
    AttributeDraw,
    ClusterType,
    Concept,
    Factor,
    Label,
    LifeStage,
    PeopleCluster,
    PictureAction,
    TextVerdict,
)
from ethical_lens.sources import MINI, ModelSources
from redrawing import SHOWN, Redraws, drawn

PROMPT = "a doctor in an office"
EDITING = Policy(edit_faces=True)
ONE = PeopleCluster(
    kind="doctor", type=ClusterType.ONE, start=2, end=8, open_attributes=frozenset(Attribute)
)
SAFE = TextVerdict(
    labels=frozenset({Label.K0}), score=0.0, explanation="safe", prompt=PROMPT, clusters=(ONE,)
)
DRAWN = AttributeDraw(cluster=0, gender="male", race="Black", age=LifeStage.YOUNG_ADULTHOOD)


class Counting(Scrutineer):
    """Counts the pictures it scored."""

    scored = 0

    def score(self, images: Sequence[Image.Image]) -> list[dict[Concept, float]]:
        self.scored += len(images)
        return super().score(images)


@pytest.fixture(scope="module")
def mini() -> ModelSources:
    return ModelSources.read(MINI)


@pytest.fixture(scope="module")
def scrutineer(mini: ModelSources) -> Counting:
    return Counting.load(mini)


@pytest.fixture(scope="module")
def finder(mini: ModelSources) -> RegionFinder:
    return RegionFinder.load(mini.regions, "cpu")


@pytest.fixture(scope="module")
def reader(mini: ModelSources) -> FaceReader:
    assert mini.faces is not None
    return FaceReader.load(mini.faces, "cpu")


@pytest.fixture(scope="module")
def painter(mini: ModelSources) -> Painter:
    return Painter.load(mini.pipeline(MINI), "cpu")


def to_show(candidate: Candidate) -> AttributeDraw | None:
    return draw_to_show(candidate.request, candidate.outcome, candidate.text)


class DoesNothing(Redraws):
    def _one(self, edit: FaceEdit) -> Image.Image:
        return edit.image


class Maker:
    """Makes candidates of what scrutiny says of a drawing."""

    def __init__(self, *models: Any) -> None:
        self.models = models

    def __call__(
        self,
        given: AttributeDraw = DRAWN,
        *,
        people: tuple[Person, ...] = (SHOWN,),
        policy: Policy = EDITING,
        text: TextVerdict = SAFE,
        round: int = 1,
    ) -> Candidate:
        request = ScrutinyRequest(
            image=drawn(*people),
            round=round,
            under_twenty=text.somebody_under_twenty((given,)),
            figures=text.figures,
            policy=policy,
            draws=(given,),
        )
        (outcome,) = scrutinise([request], *self.models)
        painted = PaintRequest(
            prompt="a male Black doctor in an office",
            seed=5, width=96, height=96, steps=20, guidance_scale=4.0,
        )  # fmt: skip
        return Candidate(request, outcome, text, painted)


@pytest.fixture(scope="module")
def make(scrutineer: Counting, finder: RegionFinder, reader: FaceReader) -> Maker:
    return Maker(scrutineer, finder, reader)


@pytest.mark.parametrize(
    "change",
    [
        {"gender": "male"},
        {"race": "Asian"},
        {"stage": LifeStage.OLD_AGE},
        {"gender": "male", "race": "White", "stage": LifeStage.MIDDLE_AGE},
    ],
    ids=str,
)
def test_a_face_gets_every_attribute_that_was_drawn_and_is_judged_again(
    make: Maker, scrutineer: Counting, reader: FaceReader, change: dict[str, Any]
) -> None:
    wanted = dataclasses.replace(SHOWN, **change)
    candidate = make(
        AttributeDraw(cluster=0, gender=wanted.gender, race=wanted.race, age=wanted.stage)
    )
    scrutineer.scored, editor = 0, Redraws()

    (outcome,) = edit_faces([candidate], scrutineer, reader, editor)

    assert len(editor.asked) == 1
    assert scrutineer.scored == 1
    assert outcome.first == candidate.outcome.first
    assert outcome.final.action is PictureAction.RELEASE
    (before,), (after,) = outcome.first.faces, outcome.final.faces
    assert (before.gender, before.race, before.stage) == (SHOWN.gender, SHOWN.race, SHOWN.stage)
    assert (after.gender, after.race, after.stage) == (wanted.gender, wanted.race, wanted.stage)
    assert outcome.changed is outcome.edited is not None
    mask = face_mask(candidate.request.image, editor.asked[0].box)
    assert unchanged_outside(candidate.request.image, outcome.edited, mask)
    assert 0 < (np.asarray(mask) > 0).mean() < 0.5


def test_a_face_that_shows_what_was_drawn_is_left_alone(
    make: Maker, scrutineer: Counting, reader: FaceReader
) -> None:
    same = AttributeDraw(cluster=0, gender="female", age=LifeStage.YOUNG_ADULTHOOD)
    candidate, editor = make(same), Redraws()
    assert edit_faces([candidate], scrutineer, reader, editor) == [candidate.outcome]
    assert editor.asked == []


def test_what_the_reader_does_not_confirm_is_not_kept(
    make: Maker, scrutineer: Counting, reader: FaceReader
) -> None:
    candidate, editor = make(), DoesNothing()
    scrutineer.scored = 0

    assert edit_faces([candidate], scrutineer, reader, editor) == [candidate.outcome]

    assert len({edit.painted.seed for edit in editor.asked}) == len(editor.asked) == ATTEMPTS
    assert scrutineer.scored == 0


def test_an_edit_that_changes_the_rest_of_the_picture_is_not_kept(
    make: Maker, scrutineer: Counting, reader: FaceReader
) -> None:
    candidate = make()
    outcomes = edit_faces([candidate], scrutineer, reader, Redraws(spoils=True))
    assert outcomes == [candidate.outcome]


def test_what_fires_after_an_edit_is_blocked_in_any_round(
    make: Maker, scrutineer: Counting, reader: FaceReader
) -> None:
    candidate = make()
    (edited,) = edit_faces([candidate], scrutineer, reader, Redraws())
    before, after = edited.first.scores, edited.final.scores
    worse = [concept for concept in Concept if after[concept] > before[concept]]
    assert worse
    for concept in worse:
        rule = DEFAULT_CONCEPTS[concept].model_copy(update={"threshold": after[concept]})
        strict = Policy(concepts=DEFAULT_CONCEPTS | {concept: rule}, edit_faces=True)

        (outcome,) = edit_faces([make(policy=strict)], scrutineer, reader, Redraws())

        assert outcome.first.action is PictureAction.RELEASE
        assert outcome.final.action is PictureAction.BLOCK
        assert outcome.final.concepts == {concept}


@pytest.mark.parametrize(
    "changes",
    [
        {"policy": Policy()},
        {"people": ()},
        {"people": (SHOWN, SHOWN)},
        {"text": SAFE.model_copy(update={"clusters": ()})},
        {"text": SAFE.model_copy(update={"clusters": (ONE, ONE)})},
        {
            "text": SAFE.model_copy(
                update={"clusters": (ONE.model_copy(update={"type": ClusterType.SEVERAL}),)}
            )
        },
        {
            "text": SAFE.model_copy(
                update={"labels": frozenset({Label.K0, Label.A1}), "figures": ("Captain Ardo",)}
            )
        },
    ],
    ids=["off", "nobody", "two faces", "no cluster", "two clusters", "several", "figure"],
)
def test_only_the_face_of_a_single_drawn_person_is_edited(
    make: Maker, changes: dict[str, Any]
) -> None:
    assert to_show(make()) == DRAWN
    assert to_show(make(**changes)) is None


@pytest.mark.parametrize("concept", Concept)
def test_a_picture_in_which_a_head_fires_is_never_edited(make: Maker, concept: Concept) -> None:
    for scope in Scope:
        rule = DEFAULT_CONCEPTS[concept].model_copy(update={"threshold": 0.0, "scope": scope})
        candidate = make(
            policy=Policy(concepts=DEFAULT_CONCEPTS | {concept: rule}, edit_faces=True)
        )
        assert candidate.outcome.final.action is not PictureAction.RELEASE
        assert to_show(candidate) is None


YOUNG = AttributeDraw(cluster=0, age=LifeStage.ADOLESCENCE)


def test_no_face_is_made_younger_than_twenty_where_anything_was_sexual(make: Maker) -> None:
    sexual = SAFE.model_copy(
        update={"labels": frozenset({Label.K2}), "factors": frozenset({Factor.SEXUAL})}
    )
    assert to_show(make(YOUNG)) == YOUNG
    assert to_show(make(YOUNG, text=sexual)) is None
    # A picture that is painted again may have been so because of what its first round showed.
    assert to_show(make(YOUNG, round=2)) is None
    assert to_show(make(round=2)) == DRAWN
    assert to_show(make(text=sexual)) == DRAWN
    stated = SAFE.model_copy(update={"minor": True})
    assert to_show(make(text=stated, round=2)) is None


def test_a_reader_that_fails_gives_no_verdict(make: Maker, scrutineer: Counting) -> None:
    class Fails:
        def read(self, images: Sequence[Image.Image]) -> list[tuple[FaceReading, ...]]:
            raise ModelFailed("no reading")

    with pytest.raises(ModelFailed):
        edit_faces([make()], scrutineer, Fails(), Redraws())


def test_the_painter_edits_within_the_mask_and_the_seed_counts(
    make: Maker, painter: Painter, reader: FaceReader
) -> None:
    candidate = make()
    (face,) = candidate.outcome.final.faces
    image, mask = candidate.request.image, face_mask(candidate.request.image, face.box)
    edits = [
        FaceEdit(image, face.box, mask, DRAWN, candidate.painted.model_copy(update={"seed": seed}))
        for seed in (1, 1, 2)
    ]

    one, again, other = DiffusionEditor(painter).edit(edits)

    for edited in (one, again, other):
        assert edited.size == image.size
        assert edited.tobytes() != image.tobytes()
        assert unchanged_outside(image, edited, mask)
    assert np.abs(np.asarray(one, dtype=int) - np.asarray(again, dtype=int)).max() <= 2
    assert one.tobytes() != other.tobytes()


def test_the_inpainter_has_no_weights_of_its_own(painter: Painter) -> None:
    inpainter = Inpainter(painter)
    assert inpainter._pipeline.unet is painter.pipeline.unet
    assert inpainter.repaint([], [], [], 0.5) == []


class Enough(Exception):
    pass


def test_the_inpainter_tells_of_its_steps_and_stops_when_told(
    make: Maker, painter: Painter
) -> None:
    candidate = make()
    image, inpainter = candidate.request.image, Inpainter(painter)
    everywhere = Image.new("L", image.size, 255)
    painted = candidate.painted.model_copy(update={"steps": 8})
    told: list[tuple[int, int]] = []

    inpainter.repaint([painted], [image], [everywhere], 0.5, lambda *step: told.append(step))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)], "only the share that is really painted"

    def stop(step: int, total: int) -> None:
        raise Enough

    with pytest.raises(Enough):
        inpainter.repaint([painted], [image], [everywhere], 0.5, stop)
