"""Another's model as an arm: any image API of the OpenAI shape, `POST …/images/generations`.

https://platform.openai.com/docs/api-reference/images: a picture comes as `b64_json`, which models
named `gpt-image…` send unasked and others on `response_format`. Links are not followed.
"""

import base64
import binascii
import io
import json
import time
from http import HTTPStatus
from typing import Any, Final, Self

import httpx
from PIL import Image
from pydantic import Field

from ethical_lens.generation.errors import GenerationError
from ethical_lens.text.llm.patience import TRY_AGAIN, Patience, retry_after
from ethical_lens.text.llm.settings import LlmSettings

REFUSALS: Final = frozenset({"content_policy_violation", "moderation_blocked"})
"""Error codes by which a server says that it will not paint this prompt."""
LONGEST_ANSWER: Final = 64 * 1024 * 1024  # bytes


class ImageApiFailed(GenerationError):
    """The server gave no picture, and it is not known that it refused: nothing is concluded."""


class ImageRefused(GenerationError):
    """The server will not paint this prompt."""


class ImageApiSettings(LlmSettings):
    """`IMAGE_API_BASE_URL`, `IMAGE_API_MODEL` and the rest, as those of language models; `size` as
    the server names it. Such servers bound requests by the minute, hence the long deadline."""

    prefix = "IMAGE_API_"

    timeout_seconds: float = Field(default=180.0, gt=0, allow_inf_nan=False)
    deadline_seconds: float = Field(default=600.0, gt=0, allow_inf_nan=False)
    size: str = Field(default="1024x1024", min_length=1, max_length=20)


class ImageApi:
    """Asks for one picture at a time. Threads may share it."""

    def __init__(self, settings: ImageApiSettings) -> None:
        self._settings = settings
        self._url = settings.base_url.rstrip("/") + "/images/generations"
        key = settings.api_key
        self._http = httpx.Client(
            headers={"Authorization": f"Bearer {key.get_secret_value()}"} if key else None,
            follow_redirects=False,
        )

    @classmethod
    def load(cls) -> Self:
        """The API that the environment names. Raises `LlmNotConfigured`."""
        return cls(ImageApiSettings.read())

    @property
    def version(self) -> str:
        """Model, size and server, for the record."""
        return f"{self._settings.model} {self._settings.size} {httpx.URL(self._url).host}"

    def paint(self, prompt: str) -> Image.Image:
        """The picture, RGB. A server that is overloaded or not reached is asked again, not before
        it wants to be.

        Raises `ImageRefused`, or `ImageApiFailed` once retries or the deadline are used up.
        """
        settings = self._settings
        body = {"model": settings.model, "prompt": prompt, "n": 1, "size": settings.size}
        if not settings.model.startswith("gpt-image"):
            body["response_format"] = "b64_json"
        patience = Patience(settings)
        while True:
            try:
                status, answer, asked = self._ask(body, patience.seconds)
            except httpx.HTTPError as error:
                why, again, asked = f"was not reached: {type(error).__name__}", True, 0.0
            else:
                if status == HTTPStatus.OK:
                    return _picture(answer)
                if _code(answer) in REFUSALS:
                    raise ImageRefused("the image API refused the prompt")
                why, again = f"answered {status}", status in TRY_AGAIN
            if not (again and patience.wait(asked)):
                raise ImageApiFailed(f"the image API {why}")

    def _ask(self, body: dict[str, Any], seconds: float) -> tuple[int, bytes, float]:
        """Status, answer, and for how many seconds the server asks to be left alone. An answer that
        drips in is cut off too."""
        end = time.monotonic() + seconds
        with self._http.stream("POST", self._url, json=body, timeout=seconds) as response:
            answer = bytearray()
            for chunk in response.iter_bytes():
                answer += chunk
                if len(answer) > LONGEST_ANSWER:
                    raise ImageApiFailed("the answer of the image API is too long")
                if time.monotonic() > end:
                    raise httpx.ReadTimeout(f"not finished within {seconds:.3g} s")
            return response.status_code, bytes(answer), retry_after(response)


def _picture(answer: bytes) -> Image.Image:
    try:
        data = base64.b64decode(json.loads(answer)["data"][0]["b64_json"], validate=True)
        with Image.open(io.BytesIO(data), formats=("PNG", "JPEG", "WEBP")) as image:
            return image.convert("RGB")
    except (
        ValueError,
        LookupError,
        TypeError,
        OSError,
        binascii.Error,
        Image.DecompressionBombError,
    ) as error:
        raise ImageApiFailed(
            f"the image API sent no picture as b64_json: {type(error).__name__}"
        ) from error  # fmt: skip


def _code(answer: bytes) -> str:
    try:
        return str(json.loads(answer)["error"]["code"])
    except (ValueError, LookupError, TypeError):
        return ""
