"""What can go wrong in picture scrutiny. Whoever catches one of these sends the picture to a
person: without a verdict nothing is released."""


class ScrutinyError(Exception):
    """No verdict could be reached."""


class ScrutinyUnavailable(ScrutinyError):
    """A model of scrutiny is missing, damaged, or does not fit the others."""


class UnreadableRegions(ScrutinyError):
    """The segmentation model gave numbers that are not finite."""
