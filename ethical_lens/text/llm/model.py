"""What asks a model, apart from what is believed of its answer."""

from collections.abc import Mapping
from typing import Any, Protocol


class ChatModel(Protocol):
    """A language model that is asked one question at a time; it keeps nothing of any of them.

    There are two: `client.ChatClient` asks over HTTP, `local.model.LocalChatModel` computes here.
    """

    name: str
    """Which model answers. Part of every cache key, and of what is recorded with decisions."""

    def complete(self, system: str, user: str, name: str, schema: Mapping[str, Any] | None) -> str:
        """What the model says to `system` and `user`, held to JSON of `schema` where there is one.

        `name` is the question's. The text comes back as it is and is not to be trusted to fit.
        Raises `LlmUnavailable` where there is no answer in time, `LlmRejected` where this question
        cannot be asked, `UnreadableReply` for an answer that is none or was cut off.
        """
