"""`manage.py tenant_create`: lets a platform in, with its policy, its first key and its webhook."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils.text import slugify
from pydantic import ValidationError

from accounts.models import Scope, Tenant
from accounts.services import api_key_create
from ethical_lens.policy import Policy as PolicyDocument
from moderation.models import Policy, PolicyVersion
from moderation.policies import policy_version_add
from webhooks.endpoints import endpoint_create
from webhooks.errors import WebhookURLRefused


class Command(BaseCommand):
    help = "Creates a tenant and prints its API key and webhook secret, which are shown only once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="what people call the platform")
        parser.add_argument(
            "--policy", default="default", help="name of the policy it starts under"
        )
        parser.add_argument(
            "--policy-file",
            type=Path,
            help="JSON of a policy, added as its newest version; without it a policy that does not "
            "exist yet starts with the published thresholds",
        )
        parser.add_argument("--webhook", help="address that is to receive all events")

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        slug = slugify(options["name"])
        if not slug:
            raise CommandError("The name needs at least one letter or digit.")
        if Tenant.objects.filter(slug=slug).exists():
            raise CommandError(f"There is a tenant {slug} already.")
        version = self._policy_version(options["policy"], options["policy_file"])
        tenant = Tenant.objects.create(name=options["name"], slug=slug, policy_version=version)
        _, key = api_key_create(tenant=tenant, name="first key", scopes=tuple(Scope))
        lines = [f"tenant          {slug}", f"policy          {version}", f"API key         {key}"]
        if options["webhook"]:
            try:
                endpoint = endpoint_create(tenant_id=tenant.id, url=options["webhook"])
            except WebhookURLRefused as refusal:
                raise CommandError(f"--webhook: {refusal}") from refusal
            lines.append(f"webhook secret  {endpoint.secret}")
        self.stdout.write("\n".join(lines))

    def _policy_version(self, name: str, file: Path | None) -> PolicyVersion:
        policy, _ = Policy.objects.get_or_create(name=name)
        newest = policy.versions.order_by("-number").first()
        if file is None and newest is not None:
            return newest
        try:
            document = PolicyDocument.model_validate(json.loads(file.read_text()) if file else {})
        except (OSError, ValueError, ValidationError) as error:
            raise CommandError(f"--policy-file: {error}") from error
        return policy_version_add(policy=policy, document=document, created_by=None)
