"""The page answers with a stream, which is read from the database while it is sent."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import AsyncClient
from django.urls import reverse
from django.utils import timezone

from ethical_lens.results import PictureAction
from moderation.decision_export import FORMATS, ExportRange, export_text
from review_cases import judged_job, make_user

pytestmark = [pytest.mark.services, pytest.mark.usefixtures("committed")]

QUERY = {"since": "2020-01-01T00:00", "until": "2120-01-01T00:00", "format": "jsonl"}


def test_the_file_is_streamed() -> None:
    job = judged_job(PictureAction.BLOCK)
    user = make_user("moderation.export_decisions")

    async def fetch() -> tuple[Any, str]:
        client = AsyncClient()
        await client.aforce_login(user)
        response = await client.get(
            reverse("moderation:decisions_export"), QUERY | {"tenant": str(job.tenant_id)}
        )
        assert response.streaming
        return response, "".join([piece.decode() async for piece in response.streaming_content])

    wanted = ExportRange(job.created_at, timezone.now() + timedelta(seconds=1), job.tenant_id)
    text = "".join(export_text(wanted, FORMATS["jsonl"]))
    expected = [json.loads(line) for line in text.splitlines()]
    response, text = asyncio.run(fetch())
    assert response.status_code == 200
    assert response["Content-Type"] == "application/jsonl"
    assert response["Content-Disposition"].endswith('.jsonl"')
    assert [json.loads(line) for line in text.splitlines()] == expected
