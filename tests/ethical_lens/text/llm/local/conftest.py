"""A chat model of random weights on disk, and models loaded from it.

What loads models is imported in the fixtures: this file is read before the environment is set.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ethical_lens.text.llm.local.model import LocalChatModel


@pytest.fixture(scope="session")
def chat_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from random_chat import write_chat_model

    return write_chat_model(tmp_path_factory.mktemp("chat"))


@pytest.fixture(scope="session")
def load(chat_folder: Path) -> "Callable[..., LocalChatModel]":
    """Loads the model as settings would have it."""
    from ethical_lens.text.llm.local.model import LocalChatModel
    from ethical_lens.text.llm.settings import LocalLlmSettings

    def build(**values: object) -> LocalChatModel:
        given = {"model": str(chat_folder), "device": "cpu", "max_new_tokens": 600, **values}
        return LocalChatModel.load(LocalLlmSettings.model_validate(given))

    return build


@pytest.fixture(scope="session")
def model(load: "Callable[..., LocalChatModel]") -> "LocalChatModel":
    """One for all tests that leave it as it is."""
    return load()
