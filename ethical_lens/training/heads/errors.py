"""What keeps heads from being trained."""


class TrainingError(Exception):
    """Heads cannot be trained from what was given; the message says what to change."""


class TableError(TrainingError):
    """The label table cannot be read."""


class BadPictures(TrainingError):
    """Too many of the pictures cannot be read."""


class TooFewLabels(TrainingError):
    """A part of the pictures has too few labels of one answer."""


class TrainedOtherwise(TrainingError):
    """A folder holds a head made from other labels, settings or another encoder."""
