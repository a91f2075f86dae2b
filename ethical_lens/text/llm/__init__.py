"""The aligner that asks a large language model over an OpenAI-shaped HTTP API.

In the order a question travels:

- `settings`    where the model is and how long to wait for it
- `templates`   what it is told, in three immutable templates
- `schema`      what it may answer
- `cache`       what it answered before
- `client`      one call over HTTP: time-outs, retries; `breaker` stops calling a dead server
- `belief`      what is believed of an answer, against the word lists of the offline rules
- `wording`     what is believed of texts it wrote: rewrites, merged prompts, revisions
- `aligner`     the `PromptAligner` made of them
"""
