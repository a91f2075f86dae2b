"""Reading text for matching: what is folded, what is put together, and the way back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ethical_lens.text.lexicon import load_lexicon
from ethical_lens.text.normalise import read

DISGUISED = {
    "full width": "a \uff4e\uff55\uff44\uff45 woman",
    "zero width": "a nu\u200bde woman",
    "soft hyphen": "a nu\u00adde woman",
    "accents": "a n\u00fcd\u00e9 woman",
    "combining marks": "a nu\u0336de woman",
    "Cyrillic e": "a nud\u0435 woman",
    "mathematical letters": "a \U0001d4f7\U0001d4fe\U0001d4ed\U0001d4ee woman",
    "small capitals": "a ɴᴜᴅᴇ woman",
    "boxed letters": "a 🅽🆄🅳🅴 woman",
    "capitals": "a NuDe woman",
    "digits for letters": "a nud3 woman",
    "signs for letters": "a n@ked woman",
    "masked": "a n*de woman",
    "hyphen inside": "a nu-de woman",
    "dots inside": "a n.u.d.e woman",
    "spelt out": "a n u d e woman",
    "underscores": "a n_u_d_e woman",
    "space inside": "a na ked woman",
    "stretched": "a nuuuude woman",
    "no space": "a woman (nude)",
}


@pytest.mark.parametrize("text", DISGUISED.values(), ids=DISGUISED.keys())
def test_a_disguised_word_is_found_where_it_stands(text: str) -> None:
    spans = [text[hit.start : hit.end] for hit in load_lexicon().find(read(text))]
    assert spans, "nothing was found"
    assert "woman" not in spans[0] or text.endswith("(nude)")
    assert all(text.count(span) == 1 for span in spans)


def test_the_original_is_kept_and_spans_lead_back_to_it() -> None:
    text = "An  \uff2f\uff2c\uff24, be\u200barded  man"
    reading = read(text)
    assert reading.original == text
    assert reading.text == "an old , bearded man"
    start = reading.text.index("bearded")
    assert text[slice(*reading.original_span(start, start + 7))] == "be\u200barded"


@pytest.mark.parametrize("text", ["in the mid-80s", "4k, 8k, 3d render", "the 1st of May", "c++"])
def test_everyday_digits_and_signs_stay_readable_and_harmless(text: str) -> None:
    assert not load_lexicon().find(read(text))


def test_two_english_words_side_by_side_are_not_put_together() -> None:
    assert not load_lexicon().find(read("the man got her a pen"))


@given(st.text(max_size=200))
def test_any_text_can_be_read_and_every_span_is_inside_it(text: str) -> None:
    reading = read(text)
    assert reading.original == text
    for token in (*reading.tokens, *reading.joined):
        assert 0 <= token.start < token.end <= len(text)
        assert token.text
    for token in reading.tokens:
        first, last = token.start, token.end
        assert read(text[first:last]).tokens
