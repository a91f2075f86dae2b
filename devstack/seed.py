"""Rows for the demo: tenant, policy, API key, endpoint, admin. Prints them as JSON, once.

Run as `python -m devstack.seed WEBHOOK_URL`, in the application's environment.
"""

import json
import secrets
import sys

import django


def main(webhook_url: str) -> None:
    django.setup()
    from accounts.models import Scope, Tenant, User
    from accounts.services import api_key_create
    from ethical_lens.policy import Policy as PolicyDocument
    from moderation.models import Policy
    from moderation.policies import policy_version_add
    from playground.trials import playground_tenants
    from webhooks.endpoints import endpoint_create
    from webhooks.models import Endpoint

    policy, _ = Policy.objects.get_or_create(name="demo")
    version = policy.versions.order_by("-number").first()
    if version is None or version.parsed != PolicyDocument():
        version = policy_version_add(policy=policy, document=PolicyDocument(), created_by=None)
    tenant, _ = Tenant.objects.update_or_create(
        slug="demo", defaults={"name": "Demo platform", "policy_version": version}
    )
    Endpoint.objects.filter(tenant=tenant).update(is_active=False, disabled_reason="demo restarted")
    endpoint = endpoint_create(tenant_id=tenant.id, url=webhook_url)
    tenant.api_keys.all().delete()
    _, key = api_key_create(tenant=tenant, name="demo", scopes=tuple(Scope))
    playground_tenants()
    admin, _ = User.objects.get_or_create(
        username="admin", defaults={"is_staff": True, "is_superuser": True}
    )
    password = secrets.token_urlsafe(12)
    admin.set_password(password)
    admin.save()
    print(
        json.dumps(
            {
                "tenant": tenant.slug,
                "api_key": key,
                "webhook_secret": endpoint.secret,
                "admin": admin.username,
                "password": password,
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[1])
