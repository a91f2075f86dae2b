"""What a run of the suite `paper` will take, before it begins.

Prices change and depend on the contract, so none is known here: whoever pays names them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ethical_lens.evaluation.recipe import Recipe
from ethical_lens.evaluation.records import ALIGNERS, Arm
from ethical_lens.evaluation.shards import Shard
from ethical_lens.evaluation.tables import Cell, Table


@dataclass(frozen=True)
class Prices:
    """Seconds on this machine and money per request, in any currency; None is not known."""

    seconds_per_picture: float | None = None
    per_picture: float | None = None
    per_judgement: float | None = None
    per_text: float | None = None


@dataclass(frozen=True)
class Estimate:
    """Of the pieces that are left. Requests are at most so many: what is blocked asks for fewer.

    `texts`: requests to a language model, two per prompt and one per picture to repaint it.
    """

    shards: int
    prompts: int
    painted_here: int
    api_pictures: int
    judgements: int
    texts: int

    def table(self, prices: Prices) -> Table:
        """For people to read."""
        painted = self.painted_here
        rows: list[tuple[Cell, ...]] = [
            ("pieces", self.shards, ""),
            ("prompts, over all arms", self.prompts, ""),
            ("pictures painted here", painted, _hours(painted, prices.seconds_per_picture)),
            ("requests to the image API", *_money(self.api_pictures, prices.per_picture)),
            ("requests to the judge, at most", *_money(self.judgements, prices.per_judgement)),
            ("requests to the language model, at most", *_money(self.texts, prices.per_text)),
            ("cost in all, at most", "", _said(self.cost(prices))),
        ]
        return Table(
            "estimate",
            "What it will take",
            ("what", "number", "takes"),
            tuple(rows),
            "Pictures are those of the first round; what is repainted or edited comes on top. Time "
            "is that of painting in one process.",
        )

    def cost(self, prices: Prices) -> float | None:
        """In all; None where something is asked for whose price is not known."""
        parts = [
            (self.api_pictures, prices.per_picture),
            (self.judgements, prices.per_judgement),
            (self.texts, prices.per_text),
        ]
        if any(count and price is None for count, price in parts):
            return None
        return sum(count * (price or 0.0) for count, price in parts)


def estimate(recipe: Recipe, shards: Sequence[Shard]) -> Estimate:
    """What doing `shards` takes."""
    pictures = {
        shard.name: len(shard.prompts) * recipe.sets[shard.suite_set].pictures for shard in shards
    }
    texts = sum(
        2 * len(shard.prompts) + pictures[shard.name]
        for shard in shards
        if _asks(shard.arm, recipe)
    )
    everything = sum(pictures.values())
    api = sum(pictures[shard.name] for shard in shards if shard.arm is Arm.API)
    return Estimate(
        shards=len(shards),
        prompts=sum(len(shard.prompts) for shard in shards),
        painted_here=everything - api,
        api_pictures=api,
        judgements=everything if recipe.judge else 0,
        texts=texts,
    )


def _asks(arm: Arm, recipe: Recipe) -> bool:
    """Whether the arm asks a language model over HTTP: also to know what may not be painted."""
    return "llm" in ((ALIGNERS[arm],) if arm in ALIGNERS else recipe.policy.aligners)


def _hours(pictures: int, seconds: float | None) -> str:
    if not pictures:
        return ""
    if seconds is None:
        return "time not known: --trial measures it"
    return f"{pictures * seconds / 3600:.2f} hours at {seconds:.3g} s a picture"


def _money(requests: int, price: float | None) -> tuple[int, str]:
    if not requests:
        return 0, ""
    return requests, "price not known" if price is None else f"{requests * price:.2f}"


def _said(cost: float | None) -> str:
    return "not known" if cost is None else f"{cost:.2f}"
