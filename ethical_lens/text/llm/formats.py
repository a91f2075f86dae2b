"""The aligner for a model, by the format it answers in."""

from ethical_lens.text.aligner import PromptAligner
from ethical_lens.text.llm.aligner import LlmAligner
from ethical_lens.text.llm.model import ChatModel
from ethical_lens.text.llm.settings import ReplyFormat
from ethical_lens.text.llm.text_scrutiny import TextScrutinyAligner


def aligner_of(
    name: str, model: ChatModel, reply_format: ReplyFormat, cache_size: int
) -> PromptAligner:
    """The aligner that policies call `name`, which asks `model` and keeps `cache_size` replies."""
    if reply_format is ReplyFormat.TEXT_SCRUTINY:
        return TextScrutinyAligner(name, model, cache_size)
    return LlmAligner(name, model, cache_size)
