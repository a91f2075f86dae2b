"""The pages of people that are tried in a browser: for accessibility, small windows, 200 % zoom.

One line per page: a name for its screenshot, the name of its URL, and the model whose row (of
`tests/admin_rows.py`) its argument is.
"""

from dataclasses import dataclass

from django.db import models
from django.urls import reverse


@dataclass(frozen=True)
class Shown:
    name: str
    url: str
    of: str = ""
    query: str = ""

    def address(self, rows: dict[type[models.Model], models.Model]) -> str:
        if not self.of:
            return reverse(self.url) + self.query
        row = next(row for model, row in rows.items() if model._meta.label_lower == self.of)
        return reverse(self.url, args=[row.pk]) + self.query


PAGES = [
    Shown("first", "admin:index"),
    Shown("two-factor", "accounts:two_factor"),
    Shown("pictures", "admin:jobs_picture_changelist", query="?waiting=decision"),
    Shown("picture", "admin:jobs_picture_change", of="jobs.picture"),
    Shown("jobs", "admin:jobs_job_changelist"),
    Shown("job", "admin:jobs_job_change", of="jobs.job"),
    Shown("appeal", "admin:moderation_appeal_change", of="moderation.appeal"),
    Shown("decisions", "admin:moderation_decision_changelist"),
    Shown("policy", "admin:moderation_policy_change", of="moderation.policy"),
    Shown("version", "admin:moderation_policyversion_change", of="moderation.policyversion"),
    Shown("draft", "admin:policies_policydraft_change", of="policies.policydraft"),
    Shown("shadow", "policies:shadow", of="policies.policyshadow"),
    Shown("evaluations", "moderation:evaluation_runs"),
    Shown("desk", "desk:home"),
    Shown("item", "desk:item", of="desk.reviewitem"),
    Shown("agreement", "desk:agreement"),
    Shown("playground", "playground:start"),
    Shown("key", "admin:accounts_apikey_add"),
    Shown("log", "admin:admin_logentry_changelist"),
    Shown("tenants", "admin:accounts_tenant_changelist"),
    Shown("export", "moderation:decisions_export"),
]
