"""The painter's text encoder begins as the text tower of the world's CLIP, as Stable Diffusion's
does: what a word looks like need not be learnt twice."""

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from ethical_lens.mini.training.clip import WEIGHTS, clip_config

_LAYER = {
    "ln_1": "layer_norm1",
    "ln_2": "layer_norm2",
    "attn.out_proj": "self_attn.out_proj",
    "mlp.c_fc": "mlp.fc1",
    "mlp.c_proj": "mlp.fc2",
}
"""Names of a layer's parts in open_clip, and in transformers."""


def _untrained(tokenizer: CLIPTokenizer) -> Any:
    """An untrained `CLIPTextModel` of the shape of the world's CLIP."""
    shape = clip_config(len(tokenizer))["text_cfg"]
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=shape["vocab_size"],
            hidden_size=shape["width"],
            intermediate_size=4 * shape["width"],
            num_hidden_layers=shape["layers"],
            num_attention_heads=shape["heads"],
            max_position_embeddings=shape["context_length"],
            hidden_act="gelu",
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )


def text_tower(clip: Path, tokenizer: CLIPTokenizer) -> Any:
    """A `CLIPTextModel` with the weights of the text tower in the folder `clip`.

    Raises `RuntimeError` where that CLIP has another shape.
    """
    theirs = load_file(clip / WEIGHTS)
    ours = {
        "embeddings.token_embedding.weight": theirs["token_embedding.weight"],
        "embeddings.position_embedding.weight": theirs["positional_embedding"],
        "final_layer_norm.weight": theirs["ln_final.weight"],
        "final_layer_norm.bias": theirs["ln_final.bias"],
    }
    model = _untrained(tokenizer)
    for i in range(model.config.num_hidden_layers):
        source, target = f"transformer.resblocks.{i}", f"encoder.layers.{i}"
        for kind in ("weight", "bias"):
            joint = theirs[f"{source}.attn.in_proj_{kind}"].chunk(3)
            for name, part in zip(("q_proj", "k_proj", "v_proj"), joint, strict=True):
                ours[f"{target}.self_attn.{name}.{kind}"] = part
            for theirs_name, name in _LAYER.items():
                ours[f"{target}.{name}.{kind}"] = theirs[f"{source}.{theirs_name}.{kind}"]
    model.load_state_dict({name: value.to(torch.float32) for name, value in ours.items()})
    return model
