"""Pages say what they may load and run, and bring no scripts of their own in the text."""

import re
from pathlib import Path

import pytest
from django.test import Client

from review_cases import make_user

ROOT = Path(__file__).resolve().parents[3]
TEMPLATES = sorted((ROOT / "platform").glob("*/templates/**/*.html"))
INLINE = {
    "an inline script": re.compile(r"<script(?![^>]*\b(?:src|type=\"application/json\"))", re.I),
    "an inline handler": re.compile(r"<[^>]*\son[a-z]+\s*=", re.I),
    "a script as an address": re.compile(r"javascript:", re.I),
    "something from another host": re.compile(r"(?:src|href)=[\"'](?:https?:)?//", re.I),
}


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_template_runs_what_the_policy_refuses(template: Path) -> None:
    text = template.read_text()
    assert [what for what, pattern in INLINE.items() if pattern.search(text)] == []


def test_no_python_of_ours_writes_handlers_into_pages() -> None:
    sources = [p for p in (ROOT / "platform").rglob("*.py") if "migrations" not in p.parts]
    assert len(sources) > 50
    for source in sources:
        text = source.read_text()
        assert not INLINE["an inline handler"].search(text), source
        assert not re.search(r"<script\b", text), source


def directives(client: Client, address: str) -> dict[str, str]:
    policy = client.get(address)["Content-Security-Policy"]
    return dict(part.strip().split(" ", 1) for part in policy.split(";"))


@pytest.mark.services
@pytest.mark.django_db
def test_pages_carry_the_policy() -> None:
    client = Client()
    client.force_login(make_user(is_superuser=True))
    for address in ("/admin/", "/admin/jobs/job/", "/admin/two-factor/"):
        policy = directives(client, address)
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == "'self' 'unsafe-eval'"
        assert policy["frame-ancestors"] == "'none'"
        assert policy["form-action"] == "'self'"
    assert directives(Client(), "/admin/login/")["script-src"] == "'self' 'unsafe-eval'"
    assert directives(client, "/api/v1/docs")["script-src"] == "'self'", "no need to evaluate"
    assert "Content-Security-Policy" not in client.get("/api/v1/openapi.json")
    assert "Content-Security-Policy" not in client.get("/livez")
