from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from accounts.sessions import signing_in_remember

        user_logged_in.connect(signing_in_remember, dispatch_uid="accounts.sessions")
