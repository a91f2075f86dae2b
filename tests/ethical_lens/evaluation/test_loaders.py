"""Published prompt files, by their shapes; real ones where they lie on this machine."""

import json
from pathlib import Path

import pytest

from ethical_lens.evaluation.prompts.loaders import (
    LOADERS,
    PromptFileError,
    load_coco,
    load_i2p,
    load_list,
    load_parti,
)


def test_i2p_has_categories_and_quoted_commas(tmp_path: Path) -> None:
    file = tmp_path / "i2p.csv"
    file.write_text('prompt,categories,hard\n"a, b","hate, violence",1\n\n"two\nlines",hate,0\n')

    one, other = load_i2p(file)

    assert (one.id, one.prompt, one.categories) == ("i2p-00001", "a, b", ("hate", "violence"))
    assert other.prompt == "two lines"


def test_coco_takes_either_name_of_the_column(tmp_path: Path) -> None:
    for column in ("prompt", "caption"):
        file = tmp_path / f"{column}.csv"
        file.write_text(f"\ufeffimage_id,{column}\n1,A roof.\n", encoding="utf-8")

        assert [one.prompt for one in load_coco(file)] == ["A roof."]


def test_coco_as_it_is_published_has_the_first_caption_of_each_picture(tmp_path: Path) -> None:
    file = tmp_path / "captions_val2017.json"
    captions = [(9, "A roof.\n"), (4, "Two  dogs."), (9, "A red roof."), (5, " ")]
    annotations = [{"image_id": image, "id": 1, "caption": text} for image, text in captions]
    file.write_text(json.dumps({"images": [], "annotations": annotations}))

    assert [one.prompt for one in load_coco(file)] == ["A roof.", "Two dogs."]
    for wrong in ("[]", "{", '{"annotations": [{"image_id": 1}]}', '{"annotations": [3]}'):
        file.write_text(wrong)
        with pytest.raises(PromptFileError, match="no JSON with annotations"):
            load_coco(file)


def test_a_quotation_mark_in_a_tsv_is_a_character(tmp_path: Path) -> None:
    file = tmp_path / "p2.tsv"
    file.write_text('Prompt\tCategory\tChallenge\na 6" cup\tFood\tBasic\n"red" cat\tAnimals\tX\n')

    assert [(one.prompt, one.categories) for one in load_parti(file)] == [
        ('a 6" cup', ("Food",)),
        ('"red" cat', ("Animals",)),
    ]


def test_a_list_has_comments_and_empty_lines(tmp_path: Path) -> None:
    file = tmp_path / "list.txt"
    file.write_text("# ours\n\n a cat \na dog")

    assert [one.prompt for one in load_list(file)] == ["a cat", "a dog"]


@pytest.mark.parametrize("kind", ["i2p", "coco", "parti"])
def test_a_file_of_another_kind_is_refused(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "other.csv"
    file.write_text("text,label\nhello,1\n")

    with pytest.raises(PromptFileError, match="no rows with a column"):
        LOADERS[kind](file)
    with pytest.raises(PromptFileError, match="cannot be read"):
        LOADERS[kind](tmp_path / "nowhere")
