"""The pages of people that are tried in a browser: for accessibility, small windows, 200 % zoom.

One line per page: a name for its screenshot, the name of its URL, and the model whose row (of
`tests/admin_rows.py`) its argument is. A query names rows as `{app.model}`.
"""

import re
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
        by_label = {model._meta.label_lower: str(row.pk) for model, row in rows.items()}
        query = re.sub(r"\{(.+?)\}", lambda named: by_label[named[1]], self.query)
        return reverse(self.url, args=[by_label[self.of]] if self.of else []) + query


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
    Shown("what-if", "policies:what_if"),
    Shown("what-if-asked", "policies:what_if", query="?policy={moderation.policyversion}"),
    Shown("evaluations", "moderation:evaluation_runs"),
    Shown("desk", "desk:home"),
    Shown("item", "desk:item", of="desk.reviewitem"),
    Shown("items", "admin:desk_reviewitem_changelist"),
    Shown("choices", "admin:desk_choice_changelist"),
    Shown("appeals", "admin:moderation_appeal_changelist"),
    Shown("drafts", "admin:policies_policydraft_changelist"),
    Shown("agreement", "desk:agreement"),
    Shown("playground", "playground:start"),
    Shown("key", "admin:accounts_apikey_add"),
    Shown("log", "admin:admin_logentry_changelist"),
    Shown("tenants", "admin:accounts_tenant_changelist"),
    Shown("export", "moderation:decisions_export"),
]
IN_THE_DARK = {
    *("first", "picture", "job", "desk", "item", "items", "draft", "shadow", "what-if-asked"),
}
"""Pages that are tried in the dark theme, too."""
