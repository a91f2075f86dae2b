"""The `PromptAligner` that asks a large language model: at most two calls per job."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

from ethical_lens.policy import Policy
from ethical_lens.results import (
    Alignment,
    Attribute,
    AttributeDraw,
    ClusterType,
    Concept,
    Factor,
    Label,
    PeopleCluster,
    PicturePrompt,
    TextVerdict,
)
from ethical_lens.text import judge
from ethical_lens.text.aligner import AlignmentError, UnreadablePrompt, UnreadableReply
from ethical_lens.text.llm.belief import believed_verdict
from ethical_lens.text.llm.cache import RecentCache
from ethical_lens.text.llm.client import ChatClient
from ethical_lens.text.llm.schema import (
    MergeReply,
    Reply,
    ReplyT,
    RevisionReply,
    parse,
)
from ethical_lens.text.llm.settings import LlmSettings
from ethical_lens.text.llm.templates import MERGE, REVISION, SCRUTINY, Template
from ethical_lens.text.llm.wording import (
    must_be_safe,
    must_keep_its_subject,
    must_merge,
    values_of,
)
from ethical_lens.text.merge import genders_of_group
from ethical_lens.text.minors import mentions_minor
from ethical_lens.text.normalise import read
from ethical_lens.text.rules import RuleAligner
from ethical_lens.text.vocabulary import why_unreadable

BELIEF_VERSION: Final = "1"
"""Raised with every change of the code here that can change a verdict."""

_Result = TypeVar("_Result")


class LlmAligner:
    """A `PromptAligner` that asks a model and believes it within the bounds of the offline rules.

    What the model said is cached, not what was made of it: checks run on every use. Threads may
    share one. Besides what is named below, every method raises `LlmUnavailable` where the server
    does not answer, `LlmRejected` where it refuses, `UnreadableReply` for an answer that does not
    fit; there is no reading of a failure under which a prompt is safe.
    """

    name = "llm"

    def __init__(self, settings: LlmSettings) -> None:
        self._model = settings.model
        self._client = ChatClient(settings)
        self._cache = RecentCache[Reply](settings.cache_size)
        self._rules = RuleAligner()
        templates = "/".join(t.version for t in (SCRUTINY, MERGE, REVISION))
        self.version = f"{BELIEF_VERSION}+{self._model}+{templates}+rules {self._rules.version}"
        """The model, digests of the three templates, and the rules that stand beside it."""

    def scrutinise(self, prompt: str, negative_prompt: str, policy: Policy) -> TextVerdict:
        """Judge a prompt and its negative prompt in one call; see `belief` for what is believed.

        Raises `UnreadablePrompt` where it is no English: then nothing else could look at it.
        """
        return self._ask(
            SCRUTINY,
            {"prompt": prompt, "negative_prompt": negative_prompt},
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
        prompts = self._ask(MERGE, data, policy, lambda reply: _merged(reply, verdict, draws))
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
        reading = read(prompt)
        why = why_unreadable(reading)
        if why is not None:
            raise UnreadablePrompt(f"the prompt cannot be judged: {why}")
        if judge.evidence(reading, read("")).label is Label.K3:
            raise AlignmentError("the prompt is not fit for generation in any wording")
        if not concepts:
            raise AlignmentError("no concept is named to steer away from")
        return self._ask(
            REVISION,
            {"prompt": prompt, "found": sorted(concepts)},
            policy,
            lambda reply: _revised(reply, prompt),
        )

    def _ask(
        self,
        template: Template[ReplyT],
        data: Mapping[str, Any],
        policy: Policy,
        believe: Callable[[ReplyT], _Result],
    ) -> _Result:
        """What `believe` makes of the reply to `template` about `data`, asked for once."""
        user = json.dumps(data, ensure_ascii=False)
        key = (self._model, template.name, template.version, _version(policy), user)
        known = self._cache.get(key)
        if isinstance(known, template.reply):
            return believe(known)
        reply = parse(
            self._client.complete(template.system, user, template.name, template.schema),
            template.reply,
        )
        result = believe(reply)
        self._cache.put(key, reply)
        return result


def _version(policy: Policy) -> str:
    """All of a policy, written so that equal policies are written alike."""
    return json.dumps(policy.model_dump(), sort_keys=True, default=sorted)


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
    mixed = cluster.open_attributes & policy.diversify
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


def _revised(reply: RevisionReply, prompt: str) -> str:
    if reply.prompt == prompt.strip():
        raise UnreadableReply("the revision changes nothing")
    must_be_safe(reply.prompt, before=prompt, minor=mentions_minor(read(prompt)))
    must_keep_its_subject(reply.prompt, before=prompt)
    return reply.prompt
