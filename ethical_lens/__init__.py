"""Ethical-Lens: align the prompt, paint, scrutinise the picture, repair or block what is wrong.

The map of this package, in the order the data travels:

- `results`: the values that cross every boundary (labels, verdicts, draws), frozen and validated.
- `policy`: thresholds, pools and limits of the method; the published figures are the defaults.
- `text`: prompt in, `TextVerdict` out; the deck that balances attributes; merged prompts.
- `generation`: prompts in, pictures out, through any diffusers pipeline.
- `image`: pictures in, concept scores out; regions and blur.
- `lens`: all of it in one process.
- `console`: all of it on the command line.
- `decide`: scores + labels + policy in, one action per picture out. Pure.
- `mini`: a small drawn world, and models trained on it, where no others are at hand.

`results`, `policy` and `decide` import neither torch nor anything else that is heavy: a web
process may use them. Importing any module here has no effects: no seeds set, no files touched.

The method: Cai et al., "Ethical-Lens", Patterns 6(3):101187, 2025 (arXiv 2404.12104).
"""
