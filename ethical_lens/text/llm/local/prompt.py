"""A chat model's input: its own template around texts in which nothing can be a control token."""

import json
from typing import Any, Final

from jinja2 import TemplateError
from tokenizers import Tokenizer

from ethical_lens.text.llm.errors import LlmNotConfigured, LlmRejected

_SYSTEM: Final = "system-2f7c41d9"
_USER: Final = "user-8b03e6a5"
"""Stand for the messages while the template is laid out; no message is ever put through it."""


class ChatPrompt:
    """Lays out the chat template of a tokenizer once, and fills in messages as plain text.

    A chat template is text with control tokens such as `<|im_end|>` in it. A message that went
    through it could hold them too, end its turn and begin another. So messages are tokenized by a
    copy of the tokenizer that knows no control tokens, and put between the template's parts.

    `tokenizer` is a fast tokenizer of transformers. Raises `LlmNotConfigured` where it has no chat
    template or one that cannot be used.
    """

    def __init__(self, tokenizer: Any) -> None:
        if not tokenizer.chat_template:
            raise LlmNotConfigured(
                "LOCAL_LLM_MODEL: the model has no chat template, so it is not one that was taught "
                "to answer. Use an instruct or chat model."
            )
        self._control = frozenset(tokenizer.added_tokens_decoder)
        self._plain = _without_control_tokens(tokenizer)
        before, between, after = _laid_out(tokenizer)
        self._parts = tuple(
            tuple(tokenizer(part, add_special_tokens=False)["input_ids"])
            for part in (before, between, after)
        )

    def ids(self, system: str, user: str) -> list[int]:
        """Token ids of a conversation with these two messages, up to where the answer begins.

        Raises `LlmRejected` where a message would come out as a control token all the same.
        """
        before, between, after = self._parts
        return [*before, *self._text(system), *between, *self._text(user), *after]

    def _text(self, text: str) -> list[int]:
        ids: list[int] = self._plain.encode(text, add_special_tokens=False).ids
        if not self._control.isdisjoint(ids):
            raise LlmRejected("the text holds a control token of the model")
        return ids


def _without_control_tokens(tokenizer: Any) -> Tokenizer:
    state = json.loads(tokenizer.backend_tokenizer.to_str())
    state |= {"added_tokens": [], "post_processor": None, "truncation": None, "padding": None}
    return Tokenizer.from_str(json.dumps(state))


def _laid_out(tokenizer: Any) -> tuple[str, str, str]:
    """What the template writes before, between and after the two messages.

    Where it knows no system message, that stands at the beginning of the user's.
    """
    for messages in (
        [{"role": "system", "content": _SYSTEM}, {"role": "user", "content": _USER}],
        [{"role": "user", "content": f"{_SYSTEM}\n\n{_USER}"}],
    ):
        try:
            text: str = tokenizer.apply_chat_template(
                messages,
                tokenize=False,
                add_generation_prompt=True,
                enable_thinking=False,  # templates that do not know it take no notice
            )
        except TemplateError:
            continue
        before, *rest = text.split(_SYSTEM)
        between, *after = rest[0].split(_USER) if len(rest) == 1 else ("",)
        if len(after) == 1:
            return before, between, after[0]
    raise LlmNotConfigured(
        "LOCAL_LLM_MODEL: the chat template of the model does not take a system and a user message."
    )
