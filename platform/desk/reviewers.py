"""What a person of the desk has set for themselves."""

from accounts.models import User
from desk.models import ReviewerSettings


def settings_of(user: User) -> ReviewerSettings:
    """The person's settings, the defaults where nothing was set."""
    return ReviewerSettings.objects.filter(user=user).first() or ReviewerSettings(user=user)


def categories_left_out(user: User) -> frozenset[str]:
    """The queues that the person does not want to be given."""
    return frozenset(settings_of(user).left_out)
