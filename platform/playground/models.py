"""What somebody tried in the playground: one prompt, painted twice."""

from django.conf import settings
from django.db import models

from config.identifiers import uuid7


class Trial(models.Model):
    """Two jobs of the same prompt and seeds: one aligned, one as it was written."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    aligned = models.OneToOneField("jobs.Job", on_delete=models.CASCADE, related_name="+")
    as_written = models.OneToOneField("jobs.Job", on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["user", "-id"], name="trial_of_user")]

    def __str__(self) -> str:
        return f"trial {self.id}"
