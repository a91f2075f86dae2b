"""The table of the raters, and the labels that majorities give."""

from pathlib import Path

import pytest

from ethical_lens.results import Concept
from ethical_lens.training.heads.errors import TableError, TooFewLabels
from ethical_lens.training.heads.majority import LeftOut, settle
from ethical_lens.training.heads.parts import SHARES, Part, must_suffice, part_of
from ethical_lens.training.heads.table import Vote, read_votes


def table(folder: Path, text: str) -> Path:
    file = folder / "labels.csv"
    file.write_text(text, encoding="utf-8")
    return file


def votes(*answers: bool | None, picture: str = "a.png") -> list[Vote]:
    """One rater each."""
    return [Vote(picture, f"r{i}", Concept.NUDE, answer) for i, answer in enumerate(answers)]


def test_wide_and_long_tables_say_the_same(tmp_path: Path) -> None:
    wide = read_votes(table(tmp_path, "picture,rater,nude,public\na.png,x,1,no\na.png,y,TRUE,\n\n"))
    long = read_votes(
        table(
            tmp_path,
            "decided_at,rater,picture,label,concept\n1,x,a.png,yes,nude\n1,x,a.png,0,public\n"
            "2,y,a.png,1,Nude\n2,y,a.png,,public\n",
        )
    )
    assert wide == long
    assert [one.answer for one in wide] == [True, False, True, None]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no column picture, rater"),
        ("picture,nude\na,1\n", "no column rater; there are: picture, nude"),
        ("picture,rater,nudes\na,x,1\n", "no column concept, label"),
        ("picture,rater,nude,publik\na,x,1,1\n", "unknown concept publik"),
        ("picture,rater,nude,nude\na,x,1,1\n", "stands twice"),
        ("picture,rater,label\na,x,1\n", "no column concept"),
        ("picture,rater,concept,label\na,x,nudity,1\n", "line 2: unknown concept 'nudity'"),
        ("picture,rater,nude\na,x,1\na,y,maybe\n", "line 3: nude is 'maybe'"),
        ("picture,rater,nude\na,,1\n", "line 2: rater is empty"),
        ("picture,rater,nude\na,x\n", "line 2: 2 fields, the header has 3"),
        ("picture,rater,nude\n", "no row"),
        ('picture,rater,nude\na,x,"1\n', "no CSV"),
        ("picture,rater,nude\n" + "a,x,?\n" * 9, "and 4 more"),
    ],
)
def test_what_is_wrong_with_a_table_is_said(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(TableError, match=said.replace("?", r"\?")):
        read_votes(table(tmp_path, text))


def test_named_concepts_alone_are_read(tmp_path: Path) -> None:
    file = table(tmp_path, "picture,rater,nude,public,note\na.png,x,1,1,blurry\n")
    assert {one.concept for one in read_votes(file, [Concept.NUDE])} == {Concept.NUDE}
    with pytest.raises(TableError, match="says nothing of nsfw"):
        read_votes(file, [Concept.NUDE, Concept.NSFW])


@pytest.mark.parametrize(
    ("answers", "label"),
    [
        ((True, True), True),
        ((False, False), False),
        ((True, True, False), True),
        ((True, False, False, None), False),
        ((True, True, False, False), LeftOut.TIE),
        ((True, False), LeftOut.TIE),
        ((True,), LeftOut.TOO_FEW),
        ((False, None), LeftOut.TOO_FEW),
        ((None, None), LeftOut.UNRATED),
    ],
)
def test_a_majority_of_at_least_two_decides(
    answers: tuple[bool | None, ...], label: bool | LeftOut
) -> None:
    found = settle(votes(*answers), {"a.png": "A"})[Concept.NUDE]
    if isinstance(label, LeftOut):
        assert found.shown == {}
        assert found.left_out == {label: 1}
    else:
        assert found.shown == {"A": label}
        assert found.left_out == {}


def test_a_rater_counts_once_over_copies_and_not_at_all_for_both_answers() -> None:
    copies = {"a.png": "A", "b.png": "A"}
    twice = [Vote(name, "x", Concept.NUDE, True) for name in copies]
    assert settle(twice, copies)[Concept.NUDE].left_out == {LeftOut.TOO_FEW: 1}

    both = [*votes(True, True), Vote("b.png", "r0", Concept.NUDE, False)]
    found = settle(both, copies)[Concept.NUDE]
    assert found.contradictions == 1
    assert found.left_out == {LeftOut.TOO_FEW: 1}


def test_agreement_is_that_of_pairs() -> None:
    some = [*votes(True, True, False), *votes(False, False, picture="b.png")]
    assert settle(some, {"a.png": "A", "b.png": "B"})[Concept.NUDE].agreement == 0.5


def test_unreadable_pictures_have_no_label() -> None:
    assert settle(votes(True, True), {}) == {}


def test_parts_have_their_shares_and_stay() -> None:
    contents = [f"{i:064x}" for i in range(4000)]
    parts = [part_of(content, 3) for content in contents]
    for part, share in SHARES.items():
        assert parts.count(part) / len(parts) == pytest.approx(share, abs=0.02)
    assert parts == [part_of(content, 3) for content in contents]
    assert parts != [part_of(content, 4) for content in contents]


def test_each_part_that_lacks_labels_is_named() -> None:
    contents = [f"{i:064x}" for i in range(400)]
    shown = {
        content: i % 2 == 0 and part_of(content, 0) is not Part.TEST
        for i, content in enumerate(contents)
    }
    with pytest.raises(TooFewLabels, match="nude: 0 yes in test, 5 are needed") as raised:
        must_suffice({Concept.NUDE: shown}, 0)
    assert "train" not in str(raised.value).splitlines()[1]
