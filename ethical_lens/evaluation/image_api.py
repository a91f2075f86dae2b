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
from ethical_lens.text.llm.settings import LlmSettings

REFUSALS: Final = frozenset({"content_policy_violation", "moderation_blocked"})
"""Error codes by which a server says that it will not paint this prompt."""
LONGEST_ANSWER: Final = 64 * 1024 * 1024  # bytes
_TRY_AGAIN: Final = frozenset({408, 409, 429, 500, 502, 503, 504})


class ImageApiFailed(GenerationError):
    """The server gave no picture, and it is not known that it refused: nothing is concluded."""


class ImageRefused(GenerationError):
    """The server will not paint this prompt."""


class ImageApiSettings(LlmSettings):
    """`IMAGE_API_BASE_URL`, `IMAGE_API_MODEL` and the rest, as those of language models; `size` as
    the server names it."""

    prefix = "IMAGE_API_"

    timeout_seconds: float = Field(default=180.0, gt=0, allow_inf_nan=False)
    size: str = Field(default="1024x1024", min_length=1, max_length=20)


class ImageApi:
    """Asks for one picture at a time. Threads may share it."""

    def __init__(self, settings: ImageApiSettings) -> None:
        self._settings = settings
        self._url = settings.base_url.rstrip("/") + "/images/generations"
        key = settings.api_key
        self._http = httpx.Client(
            headers={"Authorization": f"Bearer {key.get_secret_value()}"} if key else None,
            timeout=settings.timeout_seconds,
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
        """The picture, RGB. Raises `ImageRefused`, or `ImageApiFailed` once retries are used up."""
        settings = self._settings
        body = {"model": settings.model, "prompt": prompt, "n": 1, "size": settings.size}
        if not settings.model.startswith("gpt-image"):
            body["response_format"] = "b64_json"
        for attempt in range(settings.retries + 1):
            try:
                status, answer = self._ask(body)
            except httpx.HTTPError as error:
                status, answer, why = 0, b"", f"was not reached: {type(error).__name__}"
            else:
                why = f"answered {status}"
            if status == HTTPStatus.OK:
                return _picture(answer)
            if _code(answer) in REFUSALS:
                raise ImageRefused("the image API refused the prompt")
            if status and status not in _TRY_AGAIN:
                break
            if attempt < settings.retries:
                time.sleep(settings.retry_seconds * 2**attempt)
        raise ImageApiFailed(f"the image API {why}")

    def _ask(self, body: dict[str, Any]) -> tuple[int, bytes]:
        with self._http.stream("POST", self._url, json=body) as response:
            answer = bytearray()
            for chunk in response.iter_bytes():
                answer += chunk
                if len(answer) > LONGEST_ANSWER:
                    raise ImageApiFailed("the answer of the image API is too long")
            return response.status_code, bytes(answer)


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
