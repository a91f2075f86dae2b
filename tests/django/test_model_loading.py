"""What a worker says of models that are not there."""

import logging
from pathlib import Path
from typing import Any

import pytest

from workers import loading


@pytest.fixture(autouse=True)
def _nothing_loaded() -> None:
    loading.sources.cache_clear()


def test_one_error_names_every_part_that_is_missing(
    tmp_path: Path,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(
        update={"models": "sd15", "models_folder": tmp_path}
    )

    assert loading.load_for(["generate", "scrutinise"]) == ({}, False)

    (record,) = (record for record in caplog.records if record.levelno >= logging.ERROR)
    assert record.exc_info is None
    for part in ("pipelines.sd15: ", "clip.checkpoint: ", "regions: ", "heads: ", "hf download"):
        assert part in record.getMessage()


def test_a_worker_without_models_asks_for_none(settings: Any, tmp_path: Path) -> None:
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"models": str(tmp_path)})

    assert loading.load_for(["io", "webhooks"]) == ({}, True)


def test_a_text_worker_loads_the_language_model_it_was_given(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("LOCAL_LLM_MODEL", "/nowhere/model")
    loaded, ready = loading.load_for(["text"])
    assert not ready
    assert list(loaded) == ["aligner rules"]
    assert "LOCAL_LLM_MODEL: '/nowhere/model' is neither at" in caplog.text
