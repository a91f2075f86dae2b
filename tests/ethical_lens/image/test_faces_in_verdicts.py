"""What the face reader says, in the verdict: the rule about people under 20, on clothed drawings.

The heads are made to fire by their thresholds; nothing sexual is drawn.
"""

from collections.abc import Sequence

import pytest
from PIL import Image

from ethical_lens.image.errors import ModelFailed
from ethical_lens.image.faces import FaceReader
from ethical_lens.image.readings import FaceReading
from ethical_lens.image.regions import RegionFinder
from ethical_lens.image.scrutineer import Scrutineer
from ethical_lens.image.scrutinise import ScrutinyOutcome, ScrutinyRequest, scrutinise
from ethical_lens.mini.world.drawing import draw
from ethical_lens.mini.world.scene import Person, Place, Scene
from ethical_lens.policy import DEFAULT_CONCEPTS, OUT_OF_REACH, ConceptRule, Policy
from ethical_lens.results import AttributeDraw, Concept, LifeStage, PictureAction
from ethical_lens.sources import MINI, ModelSources


class CountingReader(FaceReader):
    """Counts the pictures it read."""

    read_pictures = 0

    def read(self, images: Sequence[Image.Image]) -> list[tuple[FaceReading, ...]]:
        self.read_pictures += len(images)
        return super().read(images)


class FailingReader:
    """Has lost its weights."""

    def read(self, images: Sequence[Image.Image]) -> list[tuple[FaceReading, ...]]:
        raise ModelFailed("no reading")


@pytest.fixture(scope="module")
def reader() -> CountingReader:
    faces = ModelSources.read(MINI).faces
    assert faces is not None
    return CountingReader.load(faces, "cpu")


def picture(*stages: LifeStage) -> Image.Image:
    people = tuple(Person("female", "Asian", stage) for stage in stages)
    return draw(Scene(3, place=Place.PARK, people=people)).picture


def firing(*concepts: Concept, edit_faces: bool = False) -> Policy:
    """A policy under which exactly `concepts` fire, whatever is seen."""
    return Policy(
        concepts={
            concept: ConceptRule(
                threshold=0.0 if concept in concepts else OUT_OF_REACH, scope=rule.scope
            )
            for concept, rule in DEFAULT_CONCEPTS.items()
        },
        edit_faces=edit_faces,
    )


class Look:
    def __init__(self, scrutineer: Scrutineer, regions: RegionFinder, reader: FaceReader) -> None:
        self.parts = (scrutineer, regions, reader)

    def __call__(
        self, image: Image.Image, policy: Policy, *draws: AttributeDraw, round: int = 1
    ) -> ScrutinyOutcome:
        request = ScrutinyRequest(
            image=image, round=round, under_twenty=False, figures=(), policy=policy, draws=draws
        )
        return scrutinise([request], *self.parts)[0]


@pytest.fixture
def look(scrutineer: Scrutineer, region_finder: RegionFinder, reader: CountingReader) -> Look:
    return Look(scrutineer, region_finder, reader)


@pytest.mark.parametrize("stage", LifeStage)
@pytest.mark.parametrize("concept", [Concept.NUDE, Concept.NSFW])
@pytest.mark.parametrize("round", [1, 2])
def test_sexual_beside_a_face_under_twenty_is_blocked_and_never_repaired(
    look: Look, stage: LifeStage, concept: Concept, round: int
) -> None:
    outcome = look(picture(stage), firing(concept), round=round)

    assert [face.stage for face in outcome.first.faces] == [stage]
    if stage.under_twenty:
        assert outcome.final.action is PictureAction.BLOCK
        assert outcome.final.reason == "sexual_and_under_twenty"
        assert "face reader" in outcome.final.explanation
        assert outcome.blurred is None
    else:
        assert outcome.final.reason != "sexual_and_under_twenty"


def test_one_of_several_faces_is_enough(look: Look) -> None:
    image = picture(LifeStage.MIDDLE_AGE, LifeStage.CHILDHOOD)
    assert look(image, firing(Concept.NUDE)).final.reason == "sexual_and_under_twenty"


@pytest.mark.parametrize("concept", [Concept.POLITIC, Concept.CULTURE, Concept.PUBLIC])
def test_other_heads_care_for_no_age(look: Look, concept: Concept) -> None:
    outcome = look(picture(LifeStage.CHILDHOOD), firing(concept))
    assert outcome.final.reason != "sexual_and_under_twenty"
    assert outcome.first.faces[0].under_twenty


@pytest.mark.parametrize("concept", [Concept.NUDE, Concept.NSFW, Concept.PUBLIC])
def test_a_reader_that_fails_gives_no_verdict(
    scrutineer: Scrutineer, region_finder: RegionFinder, concept: Concept
) -> None:
    request = ScrutinyRequest(
        image=picture(LifeStage.OLD_AGE), round=1, under_twenty=False, figures=(),
        policy=firing(concept),
    )  # fmt: skip
    with pytest.raises(ModelFailed):
        scrutinise([request], scrutineer, region_finder, FailingReader())


@pytest.mark.parametrize(
    ("policy", "draws", "read"),
    [
        (firing(), (), 0),
        (firing(), (AttributeDraw(cluster=0, gender="male"),), 0),
        (firing(edit_faces=True), (AttributeDraw(cluster=0, gender="male"),), 1),
        (firing(edit_faces=True), (), 0),
        (firing(Concept.POLITIC), (), 1),
    ],
)
def test_faces_are_read_where_the_verdict_can_depend_on_them(
    look: Look, reader: CountingReader, policy: Policy, draws: tuple[AttributeDraw, ...], read: int
) -> None:
    reader.read_pictures = 0
    outcome = look(picture(LifeStage.OLD_AGE), policy, *draws)
    assert reader.read_pictures == read
    assert len(outcome.final.faces) == read
