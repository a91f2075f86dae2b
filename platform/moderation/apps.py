from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ModerationConfig(AppConfig):
    name = "moderation"

    def ready(self) -> None:
        from moderation.roles import roles_apply

        post_migrate.connect(roles_apply, dispatch_uid="moderation.roles")
