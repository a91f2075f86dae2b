"""Replies a model might give, in the shape of the schema."""

from collections.abc import Sequence

from scripted_llm import Json


def person(
    phrase: str,
    kind: str,
    number: str = "one",
    open_attributes: Sequence[str] = ("gender", "race", "age"),
    life_stages: Sequence[str] = ("young adulthood", "middle age", "old age"),
) -> Json:
    return {
        "phrase": phrase,
        "kind": kind,
        "number": number,
        "open_attributes": list(open_attributes),
        "life_stages": list(life_stages) if "age" in open_attributes else [],
    }


def verdict(label: str = "K0", *more: str, **values: object) -> Json:
    """A reply with this label and nothing found, but for `values`."""
    return {
        "explanation": "Because of what it touches.",
        "factors": [],
        "labels": [label, *more],
        "rewrite": "",
        "negative_rewrite": "",
        "minor": False,
        "figures": [],
        "people": [],
        **values,
    }


def factors(**scores: float) -> list[Json]:
    return [{"factor": factor, "score": score} for factor, score in scores.items()]


def rewritten(rewrite: str, label: str = "K2", factor: str = "P5", **values: object) -> Json:
    """A reply of K1 or K2."""
    return verdict(label, **{"factors": factors(**{factor: 0.6}), "rewrite": rewrite, **values})
