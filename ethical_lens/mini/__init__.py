"""Small models that stand in where no trained weights are at hand.

- `stand_in`: a folder of randomly initialised models, and the file of sources that names them.
  Torch-free until something has to be built.
- `write_models`: what is written into it.
- `random_models`: the models themselves.
- `tokenizer`: CLIP's tokenizer, made from the vocabulary that open_clip carries.

`python -m ethical_lens.mini build DIR` builds the folder.
"""
