"""What is blurred, and how unreadable that is, with the models of the miniature world."""

import random
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from PIL import Image

from ethical_lens.image.areas import areas_to_blur, region_queries
from ethical_lens.image.blur import blur_region
from ethical_lens.image.faces import FaceReader
from ethical_lens.image.regions import Mask, RegionFinder
from ethical_lens.image.scrutineer import Scrutineer
from ethical_lens.image.scrutinise import ScrutinyOutcome, ScrutinyRequest, scrutinise
from ethical_lens.mini import weights
from ethical_lens.mini.judge import Judge
from ethical_lens.mini.world.drawing import Drawing, draw
from ethical_lens.mini.world.sampling import figure
from ethical_lens.mini.world.scene import Figure, Person, Place, Scene
from ethical_lens.policy import DEFAULT_CONCEPTS, OUT_OF_REACH, BlurSettings, ConceptRule, Policy
from ethical_lens.results import Concept, LifeStage, PictureAction
from ethical_lens.sources import MINI, ModelSources

ADULT = Person("female", "Asian", LifeStage.YOUNG_ADULTHOOD)
ARDO = figure(Figure.ARDO, random.Random(1))
VELLINE = figure(Figure.VELLINE, random.Random(1))


@pytest.fixture(scope="module")
def mini() -> ModelSources:
    return ModelSources.read(MINI)


@pytest.fixture(scope="module")
def scrutineer(mini: ModelSources) -> Scrutineer:
    return Scrutineer.load(mini)


class CountingFinder(RegionFinder):
    """Counts the pictures it looked at."""

    looks = 0

    def find_all(
        self, image: Image.Image, queries: Sequence[str], settings: BlurSettings
    ) -> list[Mask | None]:
        self.looks += bool(queries)
        return super().find_all(image, queries, settings)


@pytest.fixture(scope="module")
def finder(mini: ModelSources) -> CountingFinder:
    return CountingFinder.load(mini.regions, "cpu")


@pytest.fixture(scope="module")
def reader(mini: ModelSources) -> FaceReader:
    assert mini.faces is not None
    return FaceReader.load(mini.faces, "cpu")


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge.load(weights.FOLDER / "judge")


def drawing(*people: Person, seed: int = 7) -> Drawing:
    return draw(Scene(seed, place=Place.OFFICE, people=people))


def rules(**thresholds: float) -> Policy:
    """Thresholds by concept; what is not named is out of reach."""
    return Policy(
        concepts={
            concept: ConceptRule(threshold=thresholds.get(concept.value, OUT_OF_REACH),
                                 scope=rule.scope)
            for concept, rule in DEFAULT_CONCEPTS.items()
        }
    )  # fmt: skip


Look = Callable[..., ScrutinyOutcome]


@pytest.fixture
def look(scrutineer: Scrutineer, finder: CountingFinder, reader: FaceReader) -> Look:
    def at(image: Image.Image, policy: Policy, figures: tuple[str, ...] = ()) -> ScrutinyOutcome:
        request = ScrutinyRequest(
            image=image, round=1, under_twenty=False, figures=figures, policy=policy
        )
        (outcome,) = scrutinise([request], scrutineer, finder, reader)
        return outcome

    return at


SILENT = rules(public=1.0)  # a head that never says 1.0, and is acted on if it did


def test_a_named_figure_is_blurred_though_no_head_fires(look: Look, judge: Judge) -> None:
    picture = drawing(ARDO).picture

    outcome = look(picture, SILENT, (Figure.ARDO.value,))

    assert (outcome.first.action, outcome.first.reason) == (PictureAction.BLUR, "figure_named")
    assert outcome.first.findings == ()
    assert outcome.final.action is PictureAction.RELEASE
    assert outcome.blurred is not None
    before, after = judge.judge([picture, outcome.blurred])
    assert before.figures[Figure.ARDO] > 0.5
    assert after.figures[Figure.ARDO] < 0.5


@pytest.mark.parametrize(
    ("people", "named"), [((ADULT,), Figure.ARDO), ((VELLINE,), Figure.ARDO), ((), Figure.ORSK)]
)
def test_a_named_figure_that_is_not_there_changes_nothing(
    look: Look, finder: CountingFinder, people: tuple[Person, ...], named: Figure
) -> None:
    finder.looks = 0

    outcome = look(drawing(*people).picture, SILENT, (named.value,))

    assert finder.looks == 1
    assert outcome.final.action is PictureAction.RELEASE
    assert outcome.first == outcome.final
    assert outcome.blurred is None


def test_a_policy_that_never_acts_on_faces_does_not_look_for_figures(
    look: Look, finder: CountingFinder
) -> None:
    finder.looks = 0
    outcome = look(drawing(ARDO).picture, rules(), (Figure.ARDO.value,))
    assert (finder.looks, outcome.final.action) == (0, PictureAction.RELEASE)


def test_a_head_without_a_name_blurs_every_face(look: Look, reader: FaceReader) -> None:
    shown = drawing(ADULT, ARDO)

    outcome = look(shown.picture, rules(public=0.0))

    assert outcome.first.action is PictureAction.BLUR
    assert len(outcome.first.faces) == 2
    assert outcome.blurred is not None
    assert reader.read([outcome.blurred]) == [()]
    before, after = np.asarray(shown.picture), np.asarray(outcome.blurred)
    for face in shown.faces:
        left, top, right, bottom = (round(side) for side in face.box)
        inside = np.s_[top:bottom, left:right]
        assert (before[inside] != after[inside]).any(axis=2).mean() > 0.9


def test_faces_that_only_the_reader_sees_are_blurred(
    finder: CountingFinder, reader: FaceReader
) -> None:
    shown = drawing(ADULT)
    (faces,) = reader.read([shown.picture])
    blind = Policy(blur=BlurSettings(mask_threshold=0.9999999))
    fired = frozenset({Concept.PUBLIC})

    areas = areas_to_blur(shown.picture, fired, (), faces, blind, finder)

    assert areas.mask is not None
    assert not areas.missing
    left, top, right, bottom = (round(side) for side in faces[0].box)
    assert areas.mask[top:bottom, left:right].all()
    assert areas_to_blur(shown.picture, fired, (), (), blind, finder).missing
    assert areas_to_blur(shown.picture, fired, ("Captain Ardo",), faces, blind, finder).missing


WEAKEST = BlurSettings(radius=1)  # that a policy can ask for


def blurred(finder: CountingFinder, picture: Image.Image, query: str) -> Image.Image:
    mask = finder.find(picture, query, WEAKEST)
    assert mask is not None
    return blur_region(picture, mask, WEAKEST)


@pytest.mark.parametrize("factor", [1, 4])
@pytest.mark.parametrize("name", [Figure.ARDO, Figure.VELLINE])
def test_a_blurred_face_is_unreadable_to_the_judge(
    finder: CountingFinder, judge: Judge, name: Figure, factor: int
) -> None:
    pictures = [
        (image := drawing(figure(name, random.Random(seed)), seed=seed).picture).resize(
            (image.width * factor, image.height * factor)
        )
        for seed in range(6)
    ]
    (query,) = region_queries(Concept.PUBLIC, (name.value,))
    after = [blurred(finder, picture, query) for picture in pictures]

    assert all(seen.figures[name] > 0.9 for seen in judge.judge(pictures))
    for seen in judge.judge(after):
        assert seen.figures[name] < 0.1
        assert all(person.figure is None for person in seen.people)


def test_a_blurred_body_is_unreadable_to_the_judge(finder: CountingFinder, judge: Judge) -> None:
    nude = Person("male", "White", LifeStage.MIDDLE_AGE, nude=True)
    pictures = [drawing(nude, seed=seed).picture for seed in range(6)]
    after = [blurred(finder, picture, "nude body") for picture in pictures]

    assert all(seen.concepts[Concept.NUDE] > 0.9 for seen in judge.judge(pictures))
    for seen in judge.judge(after):
        assert seen.concepts[Concept.NUDE] < 0.1
        assert not any(person.nude for person in seen.people)
