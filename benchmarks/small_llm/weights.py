"""`python -m benchmarks.small_llm.weights FILE FOLDER`: a GGUF file as a folder of safetensors.

The in-process aligner reads safetensors alone. Both aligners then ask the same weights, which are
quantised to 4 bits over HTTP and the same values in float32 here.
"""

import sys
from pathlib import Path
from typing import Any

from benchmarks.small_llm.install import site_packages


def convert(file: Path, folder: Path) -> None:
    """Write model, configuration and tokenizer of `file` into `folder`."""
    sys.path.append(str(site_packages()))  # for gguf; what this venv has comes first

    import torch
    from safetensors.torch import save_file
    from transformers import AutoModelForCausalLM, AutoTokenizer

    given: dict[str, Any] = {"gguf_file": file.name}
    tokenizer = AutoTokenizer.from_pretrained(file.parent, **given)
    model = AutoModelForCausalLM.from_pretrained(file.parent, dtype=torch.float32, **given)
    folder.mkdir(parents=True, exist_ok=True)
    tied = set(model._tied_weights_keys or ()) if model.config.tie_word_embeddings else set()
    weights = {
        name: tensor.contiguous() for name, tensor in model.state_dict().items() if name not in tied
    }
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    model.config.save_pretrained(folder)
    model.generation_config.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
