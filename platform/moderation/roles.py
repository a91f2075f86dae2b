"""Who may do what: the roles of people, each a group of Django's, and every permission they have.

A permission is one line of `GRANTS`. After `migrate` the groups have exactly these: what was given
to one of them by hand is taken away again. Whoever needs other rights gets a group of another name.
"""

from enum import StrEnum
from typing import Any, Final

from django.apps import AppConfig


class Role(StrEnum):
    """The name of its group."""

    MODERATOR = "Moderators"
    LEAD = "Leads"
    POLICY_AUTHOR = "Policy authors"
    AUDITOR = "Auditors"
    OPERATOR = "Operators"


MODERATOR, LEAD, POLICY_AUTHOR, AUDITOR, OPERATOR = Role

GRANTS: Final[dict[str, tuple[Role, ...]]] = {
    # The work, and its record.
    "jobs.view_job": (MODERATOR, LEAD, POLICY_AUTHOR, AUDITOR, OPERATOR),
    "jobs.change_job": (OPERATOR,),  # cancel it
    "jobs.view_picture": (MODERATOR, LEAD, POLICY_AUTHOR, AUDITOR),  # blurred, unless released
    "moderation.view_decision": (MODERATOR, LEAD, POLICY_AUTHOR, AUDITOR),
    "moderation.export_decisions": (AUDITOR,),
    "moderation.view_appeal": (MODERATOR, LEAD, AUDITOR),
    "moderation.view_report": (MODERATOR, LEAD, AUDITOR),
    "moderation.decide": (MODERATOR, LEAD),
    "moderation.view_raw_picture": (MODERATOR, LEAD),
    "moderation.view_rawpictureview": (LEAD, AUDITOR),
    # The queue, and its parts.
    "desk.view_reviewitem": (MODERATOR, LEAD, AUDITOR),
    **{
        f"desk.review_{category}": (MODERATOR, LEAD)
        for category in ("nsfw", "nude", "public", "politic", "culture", "text", "error")
    },
    "desk.view_choice": (LEAD, AUDITOR),  # and the items of every queue
    "desk.lead": (LEAD,),
    "desk.view_tenantweight": (LEAD, OPERATOR),
    "desk.add_tenantweight": (OPERATOR,),
    "desk.change_tenantweight": (OPERATOR,),
    "desk.delete_tenantweight": (OPERATOR,),
    # Policies.
    "moderation.view_policy": (MODERATOR, LEAD, POLICY_AUTHOR, AUDITOR, OPERATOR),
    "moderation.add_policy": (POLICY_AUTHOR,),
    "moderation.view_policyversion": (MODERATOR, LEAD, POLICY_AUTHOR, AUDITOR, OPERATOR),
    "moderation.view_policyevaluation": (MODERATOR, LEAD, POLICY_AUTHOR, AUDITOR),
    "moderation.add_policyevaluation": (POLICY_AUTHOR,),
    "policies.view_policydraft": (LEAD, POLICY_AUTHOR, AUDITOR),
    "policies.author_policy": (POLICY_AUTHOR,),
    "policies.publish_policy": (LEAD, POLICY_AUTHOR),  # what somebody else wrote
    "policies.assign_policy": (POLICY_AUTHOR, OPERATOR),
    "policies.view_policyassignment": (LEAD, POLICY_AUTHOR, AUDITOR, OPERATOR),
    "policies.run_what_if": (LEAD, POLICY_AUTHOR, AUDITOR),
    "policies.view_policyshadow": (LEAD, POLICY_AUTHOR, AUDITOR),
    # Tenants, and what they are told.
    "accounts.view_tenant": (AUDITOR, OPERATOR),
    "accounts.add_tenant": (OPERATOR,),
    "accounts.change_tenant": (OPERATOR,),
    "accounts.view_apikey": (AUDITOR, OPERATOR),
    "accounts.add_apikey": (OPERATOR,),
    "accounts.change_apikey": (OPERATOR,),  # rotate and revoke it
    "jobs.view_usagerecord": (AUDITOR, OPERATOR),
    "webhooks.view_endpoint": (AUDITOR, OPERATOR),
    "webhooks.change_endpoint": (OPERATOR,),
    "webhooks.view_event": (AUDITOR, OPERATOR),
    "webhooks.view_delivery": (AUDITOR, OPERATOR),
    "webhooks.change_delivery": (OPERATOR,),  # send it again
    "playground.add_trial": (POLICY_AUTHOR, OPERATOR),
    # Who was here, and what they did.
    "admin.view_logentry": (AUDITOR,),
    "axes.view_accesslog": (AUDITOR,),
    "axes.view_accessfailurelog": (AUDITOR,),
    "axes.view_accessattempt": (AUDITOR, OPERATOR),
    "axes.delete_accessattempt": (OPERATOR,),  # let somebody in again who was locked out
    # The machinery.
    "jobs.view_worker": (OPERATOR,),
    "jobs.view_stagerun": (OPERATOR,),
    "jobs.view_outbox": (OPERATOR,),
}


def roles_apply(*, app_config: AppConfig, apps: Any, using: str, **_signal: Any) -> None:
    """Give the groups their permissions of one app, and no others of it: Django's `post_migrate`,
    which comes once per app, after the app's permissions were made.

    What the database does not know yet (it was migrated to an earlier state) is left out.
    """
    try:
        groups = apps.get_model("auth", "Group").objects.using(using)
        permissions = apps.get_model("auth", "Permission").objects.using(using)
    except LookupError:  # migrated to before there were groups
        return
    of_app = permissions.filter(content_type__app_label=app_config.label)
    for role in Role:
        codenames = [
            name.partition(".")[2]
            for name, roles in GRANTS.items()
            if role in roles and name.startswith(f"{app_config.label}.")
        ]
        group, _ = groups.get_or_create(name=role.value)
        granted = of_app.filter(codename__in=codenames)
        group.permissions.remove(*group.permissions.filter(pk__in=of_app).exclude(pk__in=granted))
        group.permissions.add(*granted)
