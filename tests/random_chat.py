"""A chat model of random weights, written as the files of an ordinary one.

It loads in no time and talks nonsense, which a constraint must hold to its schema."""

from pathlib import Path
from typing import Final

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PhiConfig, PhiForCausalLM, PreTrainedTokenizerFast

from ethical_lens.text.llm.templates import MERGE, REVISION, SCRUTINY

CHATML: Final = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
END: Final = "<|im_end|>"
_CLOSING: Final = ('"', '",', '"}', '"]', '"]}', "}", "]", "],", "}]", '":')
"""Tokens the model leans to, so that what it opens is closed before its bound of tokens."""


def write_chat_model(
    folder: Path, *, seed: int = 1, context: int = 4096, lean: float = 4.0, template: str = CHATML
) -> Path:
    """Write model and tokenizer into `folder`. The same files for the same arguments.

    `lean`: logits by which closing tokens are preferred; with 0 an answer may never end.
    """
    tokenizer = _tokenizer(template)
    ids = tokenizer.convert_tokens_to_ids(list(_CLOSING))
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = PhiForCausalLM(
            PhiConfig(
                vocab_size=-(-len(tokenizer) // 64) * 64,  # more logits than tokens, as usual
                hidden_size=32,
                intermediate_size=64,
                num_hidden_layers=2,
                num_attention_heads=2,
                max_position_embeddings=context,
                initializer_range=0.4,
                bos_token_id=None,
                eos_token_id=tokenizer.convert_tokens_to_ids(END),
            )
        )
        model.lm_head.bias.data[ids] += lean
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _tokenizer(template: str) -> PreTrainedTokenizerFast:
    """Byte-level BPE, taught on what it will be asked, with ChatML's control tokens and one that
    is added without being special, as `<think>` often is."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=1200,
        special_tokens=["<|endoftext|>", "<|im_start|>", END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    texts = [template.system for template in (SCRUTINY, MERGE, REVISION)]
    tokenizer.train_from_iterator([*texts, *_CLOSING * 100], trainer)
    tokenizer.add_tokens([AddedToken("<think>", special=False)])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token=END,
        pad_token="<|endoftext|>",
        chat_template=template,
    )
