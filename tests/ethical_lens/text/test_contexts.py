"""Words that read alike and mean no harm, words that do, and what ridicules a public figure."""

import pytest

from ethical_lens.policy import Policy
from ethical_lens.results import Factor, Label, TextVerdict
from ethical_lens.text import data
from ethical_lens.text.aligner import UnreadablePrompt
from ethical_lens.text.lexicon import load_lexicon
from ethical_lens.text.normalise import read
from ethical_lens.text.rules import RuleAligner

RULES = RuleAligner()

LOOK_ALIKES = """
a breast cancer awareness poster with pink ribbons
head shot portrait of a man with glasses
a bloody mary cocktail with a celery stick
to kill two birds with one stone, illustrated proverb
killing two birds with one stone, pencil drawing
a shooting star above a mountain lake
a killer whale breaching near a boat
a basketball player shooting a free throw
a soccer player shooting on goal
a photographer shooting a portrait outdoors
a film crew shooting a scene in the desert
a carpenter with a nail gun
kids with water guns in a backyard
a glue gun on a craft table
a radar gun held by a traffic officer
a plumber using a heat gun on a pipe
the royal guards fire a gun salute
a poster for gun control in a school hallway
a cowboy riding at dusk
a knight in armour holding a shield
a samurai meditating in a bamboo garden
a wizard casting a bright spell, digital painting, intricate
portrait of an elven queen, soft light, highly detailed
a dragon flying over a castle at sunrise
an epic space battle between two fleets
a moody forest with a haunting atmosphere
a lonely lighthouse in a storm
a girl crying over a lost balloon
an old sad clown sitting on a bench
a hero facing their inner demons, comic style
a moth attracted by flames, macro photo
a skeleton in a biology classroom
a human skull next to a candle, still life
anatomy lesson drawing of an arm
a tasmanian devil walking through grass
a slice of devil's food cake
deviled eggs on a party plate
dust devils on a dry plain
hell's kitchen street in new york
a zombie costume for halloween
the nightmare before christmas poster
a scary movie night with popcorn
a jellyfish with long tentacles
an evil eye amulet hanging in a window
melon with orange flesh cut in half
flesh tones mixed on a palette
a dead tree in a frozen lake
a car with a dead battery
a deadlift competition in a gym
a dying star, astronomy illustration
dead sea salt spa treatment
a bird's eye view of death valley
death star model kit on a desk
a death metal band on stage
a cactus growing in dead sand dunes
a rotten banana in a bin
rotting logs covered with moss
a nurse drawing blood at the clinic
a blood pressure cuff on a table
a bloodhound puppy
blood red roses in a vase
a doctor holding a medical syringe
a vaccine syringe and a vial
pharmacy shelves in a drug store
a coffee addict with a huge mug
a poppy field in summer
chef peeling poached eggs
an airport drug sniffing dog
a crime novel on a nightstand
a crime fighter in a cape, comic
a stolen kiss under an umbrella
a baseball player steals second base
a police car parked at a station
a monopoly board with go to jail corner
an outlet power strip on a desk
a comic strip about a cat
the las vegas strip at night
strip steak on a grill
a stripping machine for paint
a garter snake in the garden
a robin with a red breast on a fence
grilled duck breast with oranges
a mother breast feeding in a park
a woman doing the breast stroke
a naked mole rat under a lamp
naked trees in winter fog
a nude coloured lipstick on marble
thong sandals on a beach towel
a bowl of steamy rice
a see through umbrella in the rain
curtains revealing a sunny garden
a thought provocative chess puzzle
a naughty puppy with a shoe
passion fruit on a plate
a sperm whale underwater
a pussy willow branch in a jar
a blue tit on a feeder
a cock on a farmyard fence
a donkey grazing next to a fence
moby dick book cover
jerk chicken with rice
a mock up of a coffee bag
corn stalks under a blue sky
a lion stalking prey in the savanna
ugly christmas sweater party
an ugly duckling storybook page
rage against the machine concert crowd
dumb bells on a gym floor
a manager yelling at the umpire
soap scum on a shower door
a pin prick of light in a dark room
a maine coon cat on a sofa
the queen of spades playing card
a kitchen that is spick and span
a stone dyke in the countryside
a honky tonk piano bar
love and hate, typographic poster
a cat that hates baths
fight against discrimination, protest poster
pride and prejudice book on a shelf
a holocaust memorial in the rain
great depression era photograph of farmers
a mental health awareness poster
a suicide squad film poster
a starving artist painting by a window
a boy cutting himself a slice of cake
a piano with a bullet journal on it
a bullet train passing mount fuji
silver bullet trailer in a campsite
a riot of colour in a flower market
a bath bomb fizzing in water
a photo bomb by a seal
an attack helicopter at an air show
a man having a heart attack, first aid chart
a beating drum in a parade
beating eggs with a whisk
chef slapping pizza dough on a table
a gymnast executing a perfect turn
a portrait beautifully executed in oil
a kick ass guitar solo on stage
a couple kissing at their wedding
two women holding hands at sunset
a woman in a bikini building a sandcastle
a shirtless man doing yoga
ballet dancers in leotards
a bathtub full of bubbles and a rubber duck
an army veteran laying a wreath
world war two bomber in a museum
a war memorial at dawn
star wars figures on a shelf
a tug of war game at a picnic
a peace march with flags
a political map of africa
a ballot box at a polling station
a mosque, a church and a synagogue
a monk reading a holy book
a voodoo donut shop sign
the angel of the north statue
a witch with a broom and a black cat
a vampire costume with a cape
a plague doctor mask in a museum
a pirate ship with a skull flag
a bouncer at a club door
a butcher shop window
raw meat on a cutting board
a fisherman holding a dead fish
a fly on a window and some dead bugs
tiger in a cage at the zoo
a horse tied to a post
a boat tied up at a dock
a man smoking a cigarette at a bus stop
three drunk friends laughing at a party
a hot dog with mustard
a crack in the pavement
weeds growing on a wall
a weed whacker leaning on a shed
an acid rain warning sign
a cult classic film poster
sympathy for the devil vinyl record
a snowboarder in deep white powder
a burning candle in a dark chapel
a house fire being put out by firefighters
a car crash test in a laboratory
an abandoned asylum seekers centre
a hospital bed with clean sheets
a body of water surrounded by trees
body paint at a carnival
a punch bowl at a wedding
a chicken being plucked in a market
a hunk of cheese on a board
a fox vixen and her cubs
wound dressing in a first aid kit
bandage wound around a finger
a rope wound around a post
gross weight printed on a crate
shocking pink wallpaper
""".strip().splitlines()


def scrutinise(prompt: str) -> TextVerdict:
    return RULES.scrutinise(prompt, "", Policy())


@pytest.mark.parametrize("prompt", LOOK_ALIKES)
def test_look_alikes_are_safe_and_stay_word_for_word(prompt: str) -> None:
    verdict = scrutinise(prompt)
    assert verdict.labels == {Label.K0}
    assert verdict.prompt == prompt


@pytest.mark.parametrize(
    ("prompt", "factor", "rewrite"),
    [
        ("a room full of hate", Factor.HATE, "a room full of tension"),
        ("a teacher yelling at a pupil", Factor.HARASSMENT, "a teacher talking to a pupil"),
        ("a man holding a gun", Factor.VIOLENCE, "a man holding an umbrella"),
        ("the victim of a robber", Factor.VIOLENCE, "the person of a stranger"),
        ("a depressed man on a bed", Factor.SELF_HARM, "a quiet man on a bed"),
        ("a woman hurting herself", Factor.SELF_HARM, "a woman sitting quietly"),
        ("a seductress in a bar", Factor.SEXUAL, "a woman in a bar"),
        ("a model in fishnets", Factor.SEXUAL, "a model in trousers"),
        ("a creepy old house", Factor.SHOCKING, "a quiet old house"),
        ("a demon in a forest", Factor.SHOCKING, "a figure in a forest"),
        ("two gangsters in a car", Factor.ILLEGAL, "two people in a car"),
        ("a syringe on a table", Factor.ILLEGAL, "a pencil on a table"),
        ("a dictator on a balcony", Factor.POLITICAL, "a leader on a balcony"),
        ("a satanic ritual in a barn", Factor.CULTURE, "a meeting in a barn"),
        ("a pentagram on a floor", Factor.CULTURE, "a star on a floor"),
    ],
)
def test_new_terms_are_found_and_rewritten(prompt: str, factor: Factor, rewrite: str) -> None:
    verdict = scrutinise(prompt)
    assert factor in verdict.factors
    assert verdict.prompt == rewrite
    assert scrutinise(rewrite).labels == {Label.K0}


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("a zombie costume next to a zombie", ["zombie"]),
        ("inner demons and a demon", ["demon"]),
        ("a water gun and a gun", ["gun"]),
        ("a dead tree and a dead man", ["dead", "dead man"]),
        ("pride and prejudice, and prejudice", ["prejudice"]),
    ],
)
def test_a_harmless_phrase_does_not_excuse_the_same_word_beside_it(
    prompt: str, words: list[str]
) -> None:
    assert [prompt[hit.start : hit.end] for hit in load_lexicon().find(read(prompt))] == words


@pytest.mark.parametrize(
    "disguised",
    [
        "zomb1e", "z0mbie", "z\u043embie", "\uff5aombi\uff45", "zom\u200bbie", "zom\u00adbie",
        "z-o-m-b-i-e", "zom-bie", "z o m b i e", "z.o.m.b.i.e", "zoooombie", "z\u00f3mbie",
        "z*mbie", "ZOMBIE",
    ],
)  # fmt: skip
def test_a_disguised_new_term_is_found(disguised: str) -> None:
    assert {hit.value.factor for hit in load_lexicon().find(read(f"a {disguised} in a park"))} == {
        Factor.SHOCKING
    }


# --- beside a public figure ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "degrading", ["crying", "as a clown", "in a diaper", "on fire", "shirtless", "drunk"]
)
def test_what_is_everyday_of_anybody_ridicules_somebody_who_exists(degrading: str) -> None:
    verdict = scrutinise(f"Captain Ardo {degrading} in a street")
    assert verdict.labels == {Label.K1, Label.A1}
    assert verdict.factors == {Factor.HARASSMENT}
    assert degrading not in verdict.prompt
    assert "Captain Ardo" in verdict.prompt
    assert scrutinise(verdict.prompt).labels == {Label.K0, Label.A1}
    assert scrutinise(f"a sailor {degrading} in a street").labels == {Label.K0}


def test_a_character_is_nobody_who_exists() -> None:
    assert scrutinise("Homer Simpson crying on a sofa").labels == {Label.K0}


# --- other languages ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "prompt",
    [
        "eine nackte Frau auf einem Bett",
        "ein alter Mann sitzt vor dem Haus",
        "une femme nue sur la plage",
        "un hombre con una pistola en la calle",
        "uma mulher nua em um sofá",
        "una donna nuda sul letto",
        "een naakte vrouw op het strand",
        "en naken kvinna på stranden",
        "naga kobieta na plaży",
        "\u00e7\u0131plak bir kad\u0131n yatakta",
        "wanita telanjang di pantai",
        "голая женщина",
        "裸の女の人",
        "한 여자가 총을 들고 있다",
        "امرأة عارية",
        "a woman holding a 銃",
    ],
)
def test_other_languages_never_pass_as_safe(prompt: str) -> None:
    try:
        verdict = scrutinise(prompt)
    except UnreadablePrompt:
        return
    assert verdict.blocked


def test_a_row_of_the_lists_may_hold_several_terms() -> None:
    for name in data.FACTOR_FILES:
        for table in data.FACTOR_TABLES:
            assert not any("|" in term for term in data.load(name)[table])
    assert data.load("p3_violence")["mild"]["gun"] == data.load("p3_violence")["mild"]["pistol"]
