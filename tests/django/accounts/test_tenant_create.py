"""`manage.py tenant_create` prints what the platform needs, and the key works."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import Tenant
from ethical_lens.policy import Policy

pytestmark = [pytest.mark.services, pytest.mark.django_db]


def create(*arguments: str) -> dict[str, str]:
    out = StringIO()
    call_command("tenant_create", *arguments, stdout=out)
    return {line[:16].strip(): line[16:] for line in out.getvalue().splitlines()}


def test_a_tenant_with_the_published_policy_and_a_working_key() -> None:
    shown = create("Picture Post", "--webhook", "http://127.0.0.1:9/hooks")
    tenant = Tenant.objects.get(slug="picture-post")
    assert tenant.policy_version.parsed == Policy()
    assert shown["webhook secret"] == tenant.endpoints.get().secret
    answer = Client(headers={"Authorization": f"Bearer {shown['API key']}"}).get("/api/v1/jobs")
    assert answer.status_code == 200


def test_a_policy_from_a_file_becomes_its_newest_version(tmp_path: Path) -> None:
    file = tmp_path / "policy.json"
    file.write_text(Policy(rounds=1).model_dump_json())
    create("One", "--policy", "house")
    create("Two", "--policy", "house", "--policy-file", str(file))
    version = Tenant.objects.get(slug="two").policy_version
    assert (version.number, version.parsed) == (2, Policy(rounds=1))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["!!!"], "letter or digit"),
        (["New", "--policy-file", "/nowhere.json"], "--policy-file"),
        (["New", "--webhook", "ftp://example.com"], "--webhook"),
        (["New", "--webhook", "https://user:word@example.com"], "--webhook"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_left(arguments: list[str], says: str) -> None:
    with pytest.raises(CommandError, match=says):
        create(*arguments)
    assert not Tenant.objects.filter(name="New").exists()
