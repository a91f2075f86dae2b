"""The aligners that ask a large language model.

In the order a question travels:

- `settings`       where the model is and how long to wait for it
- `templates`      what it is told, in three immutable templates
- `schema`         what it may answer
- `asking`         each question once; `cache` keeps what was answered before
- `model`          what a model is to those who ask it: one method. Two implementations:
    - `client`     one call over HTTP; `patience` bounds its tries, `breaker` stops calling a dead
                   server
    - `local`      a model loaded into this process, with constrained decoding
- `belief`         what is believed of an answer, against the word lists of the offline rules
- `wording`        what is believed of texts it wrote: rewrites, merged prompts, revisions
- `aligner`        the `PromptAligner` made of them
- `text_scrutiny`  the one for the published model, which answers in a format of its own
- `formats`        which of the two
"""
