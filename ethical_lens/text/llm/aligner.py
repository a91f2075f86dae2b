"""The `PromptAligner` that asks a large language model: at most two calls per job, and one more for
all pictures that are painted again."""

import json
from collections.abc import Sequence
from typing import Any, Final

from ethical_lens.policy import Policy
from ethical_lens.results import (
    Alignment,
    Attribute,
    AttributeDraw,
    ClusterType,
    Concept,
    Factor,
    PeopleCluster,
    PicturePrompt,
    TextVerdict,
)
from ethical_lens.text import judge
from ethical_lens.text.aligner import AlignmentError, Unfit, UnreadableReply
from ethical_lens.text.llm.asking import Questions
from ethical_lens.text.llm.belief import believed_verdict
from ethical_lens.text.llm.model import ChatModel
from ethical_lens.text.llm.schema import MergeReply, RevisionReply
from ethical_lens.text.llm.templates import MERGE, REVISION, SCRUTINY
from ethical_lens.text.llm.wording import (
    believed_revision,
    must_be_revisable,
    must_be_safe,
    must_merge,
    values_of,
)
from ethical_lens.text.merge import genders_of_group
from ethical_lens.text.normalise import read
from ethical_lens.text.rules import RuleAligner

BELIEF_VERSION: Final = "2"
"""Raised with every change of the code here that can change a verdict."""


class LlmAligner:
    """A `PromptAligner` that asks a model and believes it within the bounds of the offline rules.

    `name` is what policies call it. Threads may share one where they may share the model. Besides
    what is named below, every method raises what the model raises, and `UnreadableReply` for an
    answer that does not fit; there is no reading of a failure under which a prompt is safe.
    """

    def __init__(self, name: str, model: ChatModel, cache_size: int) -> None:
        self.name = name
        self._questions = Questions(model, cache_size)
        self._rules = RuleAligner()
        templates = "/".join(t.version for t in (SCRUTINY, MERGE, REVISION))
        self.version = f"{BELIEF_VERSION}+{model.name}+{templates}+rules {self._rules.version}"
        """The model, digests of the three templates, and the rules that stand beside it."""

    def scrutinise(self, prompt: str, negative_prompt: str, policy: Policy) -> TextVerdict:
        """Judge a prompt and its negative prompt in one call; see `belief` for what is believed.

        Raises `UnreadablePrompt` where it is no English: then nothing else could look at it.
        """
        return self._questions.ask(
            SCRUTINY,
            _json({"prompt": prompt, "negative_prompt": negative_prompt}),
            policy,
            lambda reply: believed_verdict(reply, prompt, negative_prompt),
        )

    def merge(
        self, verdict: TextVerdict, draws: Sequence[Sequence[AttributeDraw]], policy: Policy
    ) -> Alignment:
        """One prompt per entry of `draws`, all in one call; no call where nothing was drawn.

        Raises `AlignmentError` for draws that do not fit the verdict, before anything is asked.
        """
        by_rules = self._rules.merge(verdict, draws, policy)
        if not any(values_of(one) for picture in draws for one in picture):
            return by_rules
        pictures = [_people(verdict, picture, policy) for picture in draws]
        data = {
            "prompt": verdict.prompt,
            "people": [verdict.prompt[c.start : c.end] for c in verdict.clusters],
            "pictures": pictures,
        }
        prompts = self._questions.ask(
            MERGE, _json(data), policy, lambda reply: _merged(reply, verdict, draws)
        )
        return Alignment(
            verdict=verdict,
            pictures=tuple(
                PicturePrompt(prompt=prompt, draws=tuple(picture))
                for prompt, picture in zip(prompts, draws, strict=True)
            ),
        )

    def revise(self, prompt: str, concepts: frozenset[Concept], policy: Policy) -> str:
        """A new wording of `prompt` after its picture showed `concepts`, in one call.

        Raises `AlignmentError` where there is nothing to word anew, before anything is asked.
        """
        (revised,) = self.revise_together([Unfit(prompt, concepts)], policy)
        if isinstance(revised, AlignmentError):
            raise revised
        return revised

    def revise_together(self, unfit: Sequence[Unfit], policy: Policy) -> list[str | AlignmentError]:
        """As `RevisesTogether`, in one call; none where nothing can be worded anew."""
        found: dict[int, str | AlignmentError] = {}
        for place, one in enumerate(unfit):
            try:
                must_be_revisable(one.prompt, one.concepts)
            except AlignmentError as error:
                found[place] = error
        asked = [place for place in range(len(unfit)) if place not in found]
        if asked:
            wanted = [unfit[place] for place in asked]
            pictures = [{"prompt": one.prompt, "found": sorted(one.concepts)} for one in wanted]
            revised = self._questions.ask(
                REVISION, _json({"pictures": pictures}), policy,
                lambda reply: _revisions(reply, wanted),
            )  # fmt: skip
            found.update(zip(asked, revised, strict=True))
        return [found[place] for place in range(len(unfit))]


def _revisions(reply: RevisionReply, unfit: Sequence[Unfit]) -> list[str | AlignmentError]:
    """Each wording, or why it is not believed. Raises `UnreadableReply` where none is."""
    if len(reply.prompts) != len(unfit):
        raise UnreadableReply(f"{len(unfit)} prompts were asked for, {len(reply.prompts)} came")
    found: list[str | AlignmentError] = []
    for text, one in zip(reply.prompts, unfit, strict=True):
        try:
            found.append(believed_revision(text, before=one.prompt))
        except UnreadableReply as error:
            found.append(error)
    refusals = [one for one in found if isinstance(one, UnreadableReply)]
    if len(refusals) == len(found):
        raise refusals[0]
    return found


def _json(data: dict[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=False)


def _people(
    verdict: TextVerdict, draws: Sequence[AttributeDraw], policy: Policy
) -> list[dict[str, Any]]:
    """What one picture gives everybody: an entry per cluster of the verdict."""
    people: list[dict[str, Any]] = []
    for index, cluster in enumerate(verdict.clusters):
        entry: dict[str, Any] = {"phrase": verdict.prompt[cluster.start : cluster.end]}
        given = [one for one in draws if one.cluster == index]
        if cluster.type is ClusterType.ONE and given and (values := values_of(given[0])):
            entry["give"] = values
        elif mix := _mix(cluster, given, verdict, policy):
            entry["mix"] = mix
        people.append(entry)
    return people


def _mix(
    cluster: PeopleCluster,
    given: Sequence[AttributeDraw],
    verdict: TextVerdict,
    policy: Policy,
) -> list[str]:
    """What the people of a group are to differ in; ages only of 20 up beside sexual content."""
    if cluster.type is not ClusterType.SEVERAL:
        return []
    mixed = policy.to_draw(cluster)
    stages = policy.life_stages_to_draw(cluster.life_stages, verdict.factors)
    ages = "adult ages" if Factor.SEXUAL in verdict.factors else "ages"
    names = {
        Attribute.GENDER: genders_of_group(cluster, given, verdict.prompt, policy),
        Attribute.RACE: "ethnicities",
        Attribute.AGE: ages if len(stages) > 1 else "",
    }
    return [name for attribute, name in names.items() if attribute in mixed and name]


def _merged(
    reply: MergeReply, verdict: TextVerdict, draws: Sequence[Sequence[AttributeDraw]]
) -> tuple[str, ...]:
    if len(reply.prompts) != len(draws):
        raise UnreadableReply(f"{len(draws)} prompts were asked for, {len(reply.prompts)} came")
    touching = judge.strengths(read(verdict.prompt))
    for prompt, picture in zip(reply.prompts, draws, strict=True):
        minor = verdict.somebody_under_twenty(picture)
        must_be_safe(prompt, before=verdict.prompt, touching=touching, minor=minor)
        must_merge(prompt, verdict, picture)
    return reply.prompts
