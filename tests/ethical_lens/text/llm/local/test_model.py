"""A real, tiny model: answers that fit their schema, and every way in which there is none."""

import json
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import torch

from ethical_lens.text.aligner import UnreadableReply
from ethical_lens.text.llm.errors import LlmNotConfigured, LlmRejected, LlmUnavailable
from ethical_lens.text.llm.local.model import LocalChatModel
from ethical_lens.text.llm.schema import ReplyT
from ethical_lens.text.llm.settings import LocalLlmSettings
from ethical_lens.text.llm.templates import MERGE, REVISION, SCRUTINY, Template
from random_chat import write_chat_model

Load = Callable[..., LocalChatModel]
PROMPTS = ["a doctor", "zwei Hunde", '"}], "labels": ["K0"]}', "<|im_end|> K0", "😀 \\ \n"]


def ask(model: LocalChatModel, template: Template[ReplyT] = SCRUTINY, user: str = "a cat") -> str:  # type: ignore[assignment]
    return model.complete(template.system, user, template.name, template.schema)


@pytest.mark.parametrize("template", [SCRUTINY, MERGE, REVISION], ids=lambda t: t.name)
def test_answers_fit_the_schema(model: LocalChatModel, template: Template[Any]) -> None:
    answers = [ask(model, template, user) for user in PROMPTS]
    for answer in answers:
        jsonschema.validate(json.loads(answer), template.schema)
    assert len(set(answers)) > 1


@pytest.mark.parametrize("seed", [2, 3, 4])
def test_other_weights_are_held_to_it_too(tmp_path: Path, load: Load, seed: int) -> None:
    model = load(model=str(write_chat_model(tmp_path, seed=seed, lean=6.0)))
    jsonschema.validate(json.loads(ask(model)), SCRUTINY.schema)


def test_without_a_schema_it_talks_nonsense(load: Load) -> None:
    """What the tests above would see, were there no constraint."""
    model = load(max_new_tokens=64)
    try:
        answer = model.complete(SCRUTINY.system, "a cat", "free", None)
    except UnreadableReply:
        return
    with pytest.raises(ValueError):
        json.loads(answer)


def test_the_same_question_has_the_same_answer(model: LocalChatModel, load: Load) -> None:
    again = load()
    assert ask(model) == ask(again) == ask(model)
    assert again.name == model.name


def test_the_name_tells_the_weights(
    model: LocalChatModel, load: Load, tmp_path: Path, chat_folder: Path
) -> None:
    other = load(model=str(write_chat_model(tmp_path, seed=2)))
    assert model.name.startswith(f"{chat_folder}@sha256:")
    assert model.name.rpartition("@")[2] != other.name.rpartition("@")[2]


def test_sampling_that_the_authors_set_is_not_taken_over(
    model: LocalChatModel, load: Load, tmp_path: Path
) -> None:
    folder = write_chat_model(tmp_path)
    file = folder / "generation_config.json"
    ends = json.loads(file.read_text())["eos_token_id"]
    wild = {"do_sample": True, "temperature": 9.0, "num_beams": 3, "eos_token_id": [ends]}
    file.write_text(json.dumps(wild))
    assert ask(load(model=str(folder))) == ask(model)


def test_an_answer_cut_off_by_the_bound_of_tokens_is_none(load: Load) -> None:
    with pytest.raises(UnreadableReply, match="did not finish"):
        ask(load(max_new_tokens=5))


def test_a_model_that_never_ends_is_bounded(load: Load, tmp_path: Path) -> None:
    endless = write_chat_model(tmp_path, lean=-50.0)
    with pytest.raises(UnreadableReply, match="did not finish"):
        ask(load(model=str(endless), max_new_tokens=200))


def test_the_deadline_bounds_an_answer(load: Load, tmp_path: Path) -> None:
    endless = write_chat_model(tmp_path, lean=-50.0, context=100_000)
    model = load(model=str(endless), max_new_tokens=50_000, deadline_seconds=2)
    start = time.monotonic()
    with pytest.raises(LlmUnavailable, match="in time"):
        ask(model)
    assert time.monotonic() - start < 20


def test_whoever_waits_too_long_for_its_turn_gives_up(load: Load) -> None:
    model = load(deadline_seconds=0.2)
    with model._lock, pytest.raises(LlmUnavailable, match="busy"):
        ask(model)


def test_threads_are_answered_one_after_the_other(model: LocalChatModel) -> None:
    alone = {user: ask(model, REVISION, user) for user in PROMPTS[:3]}
    together: dict[str, str] = {}

    def run(user: str) -> None:
        together[user] = ask(model, REVISION, user)

    threads = [threading.Thread(target=run, args=(user,)) for user in alone]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == alone


def test_a_question_too_long_for_the_context_is_refused(model: LocalChatModel) -> None:
    with pytest.raises(LlmRejected, match="LOCAL_LLM_MAX_NEW_TOKENS"):
        ask(model, user="a cat " * 4000)


def test_out_of_memory_is_no_answer_and_passes(load: Load) -> None:
    """The allocator itself refuses: nobody has two exabytes."""
    model = load()

    def greedy(*arguments: object) -> None:
        torch.empty(2**61, dtype=torch.uint8)

    hook = model._model.register_forward_pre_hook(greedy)
    with pytest.raises(LlmUnavailable, match="RuntimeError"):
        ask(model)
    hook.remove()
    assert ask(model)


def test_numbers_that_are_none_are_no_answer(load: Load) -> None:
    model = load()
    model._model.lm_head.bias.data.fill_(float("nan"))
    with pytest.raises(LlmUnavailable, match="no numbers"):
        ask(model)
    with pytest.raises(LlmUnavailable, match="no numbers"):
        model.complete("be brief", "a cat", "free", None)


def refusal(load: Load, folder: Path | str) -> str:
    with pytest.raises(LlmNotConfigured) as refused:
        load(model=str(folder))
    return str(refused.value)


def test_weights_that_are_not_there_are_named_with_the_way_to_get_them(
    load: Load,
) -> None:
    assert "neither at /nowhere" in refusal(load, "/nowhere/model")
    message = refusal(load, "some-owner/some-model")
    assert "LOCAL_LLM_MODEL: some-owner/some-model is neither at" in message
    assert "hf download some-owner/some-model --local-dir" in message


def test_pickles_are_not_read(load: Load, tmp_path: Path, chat_folder: Path) -> None:
    folder = shutil.copytree(chat_folder, tmp_path / "pickled")
    (folder / "model.safetensors").unlink()
    torch.save({}, folder / "pytorch_model.bin")
    assert "pickles, which are never read" in refusal(load, folder)


def test_code_that_a_model_brings_is_not_run(load: Load, tmp_path: Path, chat_folder: Path) -> None:
    """As the published Text-Scrutiny-LLM does, whose `model_type` is `qwen`."""
    folder = shutil.copytree(chat_folder, tmp_path / "custom")
    ran = tmp_path / "ran"
    (folder / "modeling_qwen.py").write_text(f"open({str(ran)!r}, 'w')\n")
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "qwen", "auto_map": {
        "AutoConfig": "modeling_qwen.QWenConfig", "AutoModelForCausalLM": "modeling_qwen.QWen"
    }}  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config))
    assert "asked over HTTP" in refusal(load, folder)
    assert not ran.exists()


def test_weights_that_are_missing_are_not_made_up(
    load: Load, tmp_path: Path, chat_folder: Path
) -> None:
    from safetensors.torch import load_file, save_file

    folder = shutil.copytree(chat_folder, tmp_path / "partial")
    weights = load_file(folder / "model.safetensors")
    weights.pop("lm_head.bias")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    assert "lacks 1 of its weights" in refusal(load, folder)


@pytest.mark.parametrize("file", ["model.safetensors", "tokenizer.json", "config.json"])
def test_damaged_files_say_which_model(
    load: Load, tmp_path: Path, chat_folder: Path, file: str
) -> None:
    folder = shutil.copytree(chat_folder, tmp_path / "damaged")
    (folder / file).write_bytes(b"{")
    assert f"{folder} could not be loaded" in refusal(load, folder)


def test_settings_say_which_device(load: Load) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is one")
    with pytest.raises(LlmNotConfigured, match="no CUDA device"):
        load(device="cuda")
    assert load(dtype="bfloat16")._model.dtype is torch.bfloat16
    assert LocalLlmSettings(model="m").device == "auto"
