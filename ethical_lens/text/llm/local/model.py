"""A chat model of transformers in this process, decoded under a constraint, the likeliest token
each time."""

import gc
import time
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Any, Final, Self

import torch
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    GenerationConfig,
    LogitsProcessorList,
    PreTrainedTokenizerFast,
    StoppingCriteriaList,
)

from ethical_lens.device import resolve_device, resolve_dtype
from ethical_lens.failures import RUN_FAILURES
from ethical_lens.finding import Finder
from ethical_lens.loading import LOAD_FAILURES
from ethical_lens.sources import SourcesError, digest_of
from ethical_lens.text.aligner import UnreadableReply
from ethical_lens.text.llm.errors import LlmNotConfigured, LlmRejected, LlmUnavailable
from ethical_lens.text.llm.local.constraint import Deadline, Grammars, Numbers
from ethical_lens.text.llm.local.prompt import ChatPrompt
from ethical_lens.text.llm.settings import LocalLlmSettings

_FIELD: Final = "LOCAL_LLM_MODEL"


class LocalChatModel:
    """A `ChatModel`. Threads may share one; they are answered one after the other."""

    def __init__(self, name: str, model: Any, tokenizer: Any, settings: LocalLlmSettings) -> None:
        self.name = name
        self._model = model
        self._tokenizer = tokenizer
        self._settings = settings
        self._prompt = ChatPrompt(tokenizer)
        self._ends = _ends(model, tokenizer)
        config = model.config.get_text_config()
        self._context: int | None = getattr(config, "max_position_embeddings", None)
        self._grammars = Grammars(tokenizer, config.vocab_size, self._ends)
        self._special = frozenset(
            index for index, token in tokenizer.added_tokens_decoder.items() if token.special
        )
        self._generation = GenerationConfig(
            do_sample=False,
            max_new_tokens=settings.max_new_tokens,
            eos_token_id=sorted(self._ends),
            pad_token_id=min(self._ends),
        )
        # What the model's authors set there (sampling, penalties) would be taken over.
        model.generation_config = self._generation
        self._lock = Lock()

    @classmethod
    def load(cls, settings: LocalLlmSettings) -> Self:
        """Load a folder or a hub id: safetensors only, and no code but that of transformers.

        Raises `LlmNotConfigured`, which says what is missing or wrong and what to do.
        """
        source = _source(settings.model)
        try:
            device = resolve_device(settings.device)
            tokenizer = AutoTokenizer.from_pretrained(source, trust_remote_code=False)
            loaded: Any = AutoModelForCausalLM.from_pretrained(
                source,
                trust_remote_code=False,
                use_safetensors=True,
                dtype=resolve_dtype(settings.dtype, device),
                output_loading_info=True,
            )
            model, about = loaded
            model = model.to(device).eval()
        except (SourcesError, *LOAD_FAILURES) as error:
            why = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise LlmNotConfigured(
                f"{_FIELD}: {settings.model} could not be loaded: {why} Only safetensors are read, "
                "and code that a model brings is never run: such a model can be asked over HTTP, "
                "see docs/llm-aligner.md."
            ) from error
        absent = [*about["missing_keys"], *about["mismatched_keys"]]
        if absent:
            raise LlmNotConfigured(
                f"{_FIELD}: {settings.model} lacks {len(absent)} of its weights, which would be "
                "random. Fetch it anew."
            )
        if not isinstance(tokenizer, PreTrainedTokenizerFast):
            raise LlmNotConfigured(f"{_FIELD}: {settings.model} has no tokenizer.json.")
        return cls(f"{settings.model}@{digest_of(source)}", model, tokenizer, settings)

    def complete(self, system: str, user: str, name: str, schema: Mapping[str, Any] | None) -> str:
        """What the model says, held to JSON of `schema` where there is one.

        The same question has the same answer. Raises `LlmUnavailable` where it is not done within
        the deadline, runs out of memory or fails otherwise, `LlmRejected` where question and answer
        do not fit the model's context, `UnreadableReply` where the answer was not finished within
        the bound of tokens. The deadline is looked at after every token, the first of which takes
        as long as the question is.
        """
        seconds = self._settings.deadline_seconds
        end = time.monotonic() + seconds
        if not self._lock.acquire(timeout=seconds):
            raise LlmUnavailable(f"the model was busy for {seconds:.3g} s")
        try:
            return self._answer(system, user, schema, end)
        except RUN_FAILURES as error:
            failure = f"the model failed: {type(error).__name__}"
        finally:
            self._lock.release()
        # Out of the handler, where nothing holds the tensors of the failed run any more.
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        raise LlmUnavailable(failure)

    def _answer(self, system: str, user: str, schema: Mapping[str, Any] | None, end: float) -> str:
        ids = self._prompt.ids(system, user)
        needed = len(ids) + self._settings.max_new_tokens
        if self._context is not None and needed > self._context:
            raise LlmRejected(
                f"question and answer take up to {needed} tokens, the model's context is "
                f"{self._context}: lower LOCAL_LLM_MAX_NEW_TOKENS or take another model"
            )
        tokens = torch.tensor([ids], device=self._model.device)
        processors = [Numbers()] if schema is None else [Numbers(), self._grammars.json(schema)]
        with torch.inference_mode():
            output = self._model.generate(
                input_ids=tokens,
                attention_mask=torch.ones_like(tokens),
                generation_config=self._generation,
                logits_processor=LogitsProcessorList(processors),
                stopping_criteria=StoppingCriteriaList([Deadline(end)]),
            )
        *answer, last = output[0, len(ids) :].tolist()
        if last not in self._ends:
            raise UnreadableReply("the model did not finish its answer")
        if not self._special.isdisjoint(answer):
            raise UnreadableReply("the answer holds a control token")
        text: str = self._tokenizer.decode(answer, clean_up_tokenization_spaces=False)
        return text


def _source(model: str) -> str:
    """Where `model` lies, or its hub id. Raises `LlmNotConfigured` where it cannot be had."""
    finder = Finder(Path())
    source = finder.part(_FIELD, model, ("config.json",))
    folder = Path(source)
    if not finder.missing and folder.is_dir() and not any(folder.glob("*.safetensors")):
        finder.missing.append(
            f"{_FIELD}: {folder} holds no .safetensors. Other weights are pickles, which are never "
            "read: fetch the model in that format or save it anew with transformers."
        )
    if finder.missing:
        raise LlmNotConfigured("the local LLM cannot be loaded:\n" + "\n".join(finder.missing))
    return source


def _ends(model: Any, tokenizer: Any) -> frozenset[int]:
    """The tokens that end an answer. Raises `LlmNotConfigured` where there is none."""
    named = model.generation_config.eos_token_id
    ends = {*(named if isinstance(named, list) else [named]), tokenizer.eos_token_id} - {None}
    if not ends:
        raise LlmNotConfigured(f"{_FIELD}: the model names no token that ends an answer.")
    return frozenset(ends)
