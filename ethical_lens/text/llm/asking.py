"""Asks a model each question once, and remembers what was believed."""

import json
from collections.abc import Callable
from typing import TypeVar

from ethical_lens.policy import Policy
from ethical_lens.text.llm.cache import RecentCache
from ethical_lens.text.llm.model import ChatModel
from ethical_lens.text.llm.schema import Reply, ReplyT
from ethical_lens.text.llm.templates import Template

_Result = TypeVar("_Result")


class Questions:
    """Puts templates to one model. Threads may share one.

    What the model said is cached, not what was made of it: checks run on every use. At most
    `cache_size` replies are kept, and only such as were believed.
    """

    def __init__(self, model: ChatModel, cache_size: int) -> None:
        self._model = model
        self._cache = RecentCache[Reply](cache_size)

    def ask(
        self,
        template: Template[ReplyT],
        user: str,
        policy: Policy,
        believe: Callable[[ReplyT], _Result],
    ) -> _Result:
        """What `believe` makes of the reply to `template` about `user`.

        Raises what the model raises, `UnreadableReply` for a reply that is not of the template's
        form, and whatever `believe` raises.
        """
        key = (self._model.name, template.name, template.version, _version(policy), user)
        known = self._cache.get(key)
        if isinstance(known, template.reply):
            return believe(known)
        reply = template.parse(
            self._model.complete(template.system, user, template.name, template.schema)
        )
        result = believe(reply)
        self._cache.put(key, reply)
        return result


def _version(policy: Policy) -> str:
    """All of a policy, written so that equal policies are written alike."""
    return json.dumps(policy.model_dump(), sort_keys=True, default=sorted)
