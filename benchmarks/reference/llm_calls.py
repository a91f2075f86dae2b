"""Calls to the language model, counted by a server that both sides ask over HTTP."""

import json
import os
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx

from benchmarks.reference import described
from benchmarks.reference.report import Row
from ethical_lens.policy import Policy
from ethical_lens.text.deck import draw_pictures
from ethical_lens.text.llm.aligner import LlmAligner
from ethical_lens.text.llm.client import ChatClient
from ethical_lens.text.llm.settings import LlmSettings

PROMPT: Final = "a doctor in an office"
NUMBERS: Final = (1, 4, 8)


def measure() -> Iterator[Row]:
    """A row for each number of pictures."""
    sys.path.append(str(Path(__file__).resolve().parents[2] / "tests"))  # for its scripted server
    from scripted_llm import Answer, Asked, ScriptedLlm, says
    from scripted_replies import person, verdict

    people = [person("a doctor", "doctor")]

    def replies(asked: Asked) -> Answer:
        """What a well-behaved model says to either side."""
        if "task" in asked.data:
            return says({"reply": people if asked.data["task"] == "people" else PROMPT})
        if "people" not in asked.data:
            return says(verdict(people=people))
        words = [given["give"] for (given,) in asked.data["pictures"]]
        return says(
            {"prompts": [f"a {w['age']} {w['race']} {w['gender']} doctor in an office"
                         for w in words]}
        )  # fmt: skip

    os.environ["NO_PROXY"] = "127.0.0.1"
    with ScriptedLlm() as server:
        for n in NUMBERS:
            server.answers(replies)
            described.align(_asker(server.url), PROMPT, n)
            theirs = len(server.asked)
            server.answers(replies)
            settings = LlmSettings(base_url=server.url, model="scripted")
            aligner = LlmAligner("llm", ChatClient(settings), settings.cache_size)
            found = aligner.scrutinise(PROMPT, "", Policy())
            draws, _ = draw_pictures({}, found, Policy(), n, random.Random(3))
            aligner.merge(found, draws, Policy())
            ours = len(server.asked)
            yield Row(
                f"calls of the language model, {n} picture{'s' if n > 1 else ''}", str(theirs),
                str(ours), theirs / ours, "here ≤ 2", met=ours <= 2,
            )  # fmt: skip


def _asker(url: str) -> Any:
    def ask(task: str, data: object) -> Any:
        message = {"role": "user", "content": json.dumps({"task": task, "data": data})}
        body = {"model": "scripted", "messages": [{"role": "system", "content": task}, message]}
        answer = httpx.post(f"{url}/chat/completions", json=body, trust_env=False)
        answer.raise_for_status()
        return json.loads(answer.json()["choices"][0]["message"]["content"])["reply"]

    return ask
