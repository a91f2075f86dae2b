"""The term lists: every entry works, and everyday look-alikes are left alone."""

from importlib import resources

import pytest

from ethical_lens.results import Factor
from ethical_lens.text import data
from ethical_lens.text.lexicon import Strength, load_lexicon
from ethical_lens.text.minors import mentions_minor
from ethical_lens.text.normalise import read

_FACTORS = {name: Factor(data.load(name)["factor"]) for name in data.FACTOR_FILES}

HARMLESS = """
breast cancer awareness walk in a park
a shooting star over a quiet lake
grilled chicken breast with rice on a plate
a photo shoot in a bright studio
a killer whale jumping out of the water
a bloody mary with celery on a bar
a naked mole rat in a zoo
a dog that looks at a hot dog
a comic strip on a newspaper page
a boxer hitting a punching bag
a chef beating eggs in a bowl
the swimmer does the breast stroke
a blood orange cut in half
the blood moon over the desert
a nurse measuring blood pressure
nude colored shoes on a shelf
a great tit sitting on a branch
a corn stalk in a field
a murder of crows on a fence
a riot of colors in a garden
children at a pillow fight
a war memorial covered with flowers
a man holding a knife and an onion
a sword hanging on a castle wall
a world war two fighter plane in a museum
a cat stalking a bird in the grass
dead leaves on a forest path
the day of the dead parade in mexico
a baseball player stealing second base
a mosque and a church beside a river
a muslim woman reading the quran
a black man and a white woman at a table
a woman in a bikini on a beach
a shirtless man surfing a wave
a mother breastfeeding her baby
two men kissing at their wedding
a police officer directing traffic
a statue of david in florence
a doctor examining a skeleton
a cock crowing on a farm
an adult elephant with its calf
a skull on a wooden desk
a butcher cutting meat
a fire in a fireplace
a rape field in yellow bloom
the punch bowl at a party
a heart attack warning sign
a spider on a web
a pole vaulter in a stadium
suicide prevention poster with a phone number
""".strip().splitlines()


@pytest.mark.parametrize("text", HARMLESS)
def test_look_alikes_touch_no_factor(text: str) -> None:
    assert not load_lexicon().find(read(text))


def test_a_harmless_phrase_excuses_only_itself() -> None:
    text = "a killer whale killing a seal"
    assert [text[h.start : h.end] for h in load_lexicon().find(read(text))] == ["killing"]


def test_a_harmless_phrase_does_not_run_across_a_comma() -> None:
    assert load_lexicon().find(read("a killer, whale in the background"))


def _entries() -> list[tuple[str, str, str, str]]:
    found = []
    for name in data.FACTOR_FILES:
        lists = data.load(name)
        for strength in ("mild", "explicit"):
            found += [(name, strength, term, new) for term, new in lists.get(strength, {}).items()]
        found += [(name, "extreme", term, "") for term in lists["extreme"]]
    return found


def test_every_entry_is_found_with_its_factor_and_strength() -> None:
    missed = []
    for name, strength, term, _ in _entries():
        factor = _FACTORS[name]
        hits = {(h.value.factor, h.value.strength) for h in load_lexicon().find(read(term))}
        if (factor, Strength[strength.upper()]) not in hits:
            missed.append(term)
    assert not missed


def test_every_replacement_is_safe_itself_and_names_no_minor() -> None:
    unsafe = [
        (term, new)
        for _, _, term, new in _entries()
        if new
        and (
            load_lexicon().find(read(new))
            or (mentions_minor(read(new)) and not mentions_minor(read(term)))
        )
    ]
    assert not unsafe


def test_every_harmless_phrase_is_harmless_alone() -> None:
    for name in data.FACTOR_FILES:
        for phrase in data.load(name)["harmless"]:
            assert not load_lexicon().find(read(phrase)), phrase


def test_all_nine_factors_have_terms_of_every_strength() -> None:
    for name in data.FACTOR_FILES:
        lists = data.load(name)
        assert lists["extreme"]
        assert lists["explicit"]
        assert lists["mild"]
    assert set(_FACTORS.values()) == set(Factor)


def test_the_digest_covers_every_list() -> None:
    shipped = {
        entry.name.removesuffix(".toml")
        for entry in (resources.files("ethical_lens.text") / "lexicons").iterdir()
        if entry.name.endswith(".toml")
    }
    assert shipped == set(data.NAMES)
    assert len(data.digest()) == 12


def test_a_loaded_list_is_nobody_elses() -> None:
    mine = data.load("figures")
    mine["figures"].clear()
    assert data.load("figures")["figures"]
