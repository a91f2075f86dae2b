"""Text scrutiny: a prompt in, a `TextVerdict` and one prompt per picture out.

In the order a prompt travels:

- `bulk`        many prompts on all cores
- `choose`      aligners by name, and the fallback from one to the next
- `aligner`     what every aligner is
- `rules`       the offline aligner, made of the parts below
- `normalise`   text as matchers see it, with the way back to the original
- `vocabulary`  can it be read at all?
- `phrases`, `lexicon`, `minors`, `figures`   what is found in it
- `judge`       found terms -> label, score, explanation
- `rewrite`, `english`   the safe wording
- `kinds`, `people`      clusters of people and what is left open about them
- `deck`        the balanced draw
- `merge`       draws and prompt -> the prompt of one picture
- `llm`         the aligner that asks a language model
- `data`, `lexicons/`    the word lists
"""
