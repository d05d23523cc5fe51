"""The exception tree: one family per kind of trouble, one class per reason.

Every message has the same form, *where: rule, got this. Next step.*, and every class name finishes the sentence
"failed because ...". A family owns an exit code of the command line, so that scripts can tell bad settings from a
full disk.
"""

from __future__ import annotations

from typing import ClassVar


class ZspaceError(Exception):
    """Root of all errors that zspace raises on purpose.

    Parameters
    ----------
    where
        The setting, file or row the message is about.
    rule
        What must hold there.
    got
        What was found instead.
    next_step
        What the reader can do now: a whole sentence.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, where: str, rule: str, got: str, next_step: str) -> None:
        super().__init__(f"{where}: {rule}, got {got}. {next_step}")
        self.where = where
        self.rule = rule
        self.got = got
        self.next_step = next_step

    def __reduce__(self) -> tuple[type[ZspaceError], tuple[str, str, str, str]]:
        """Let the error cross process boundaries whole."""
        return type(self), (self.where, self.rule, self.got, self.next_step)


class SettingsError(ZspaceError):
    """What was asked cannot be asked."""

    exit_code = 2


class UnknownPreset(SettingsError):
    """Neither a preset nor a TOML file has this name."""


class UnknownSetting(SettingsError):
    """A settings file or table holds a key that no record has."""


class SettingMissing(SettingsError):
    """A setting without a default was not given."""


class SettingOutOfRange(SettingsError):
    """A value has the wrong type or lies outside its range."""


class LibraryMissing(SettingsError):
    """Something asked for needs an optional package."""


class ImageSizeNotDivisible(SettingsError):
    """The strides of the network do not divide the image size."""


class ImagesError(ZspaceError):
    """The images cannot be used as they are."""

    exit_code = 3


class SourceNotFound(ImagesError):
    """No file or folder lies where the images should be."""


class SourceUnreadable(ImagesError):
    """The source exists but is no folder, archive, table or array that can be read."""


class NoImagesFound(ImagesError):
    """The source can be read but holds no image."""


class TooFewImages(ImagesError):
    """There are images, but fewer than the next step needs."""


class TooManySkipped(ImagesError):
    """More files were skipped than allowed."""


class ImagesTooSmall(ImagesError):
    """The images have fewer pixels than they would have to show."""


class MixedImageSizes(ImagesError):
    """Images of several sizes cannot be stacked without cropping."""


class AttributesUnreadable(ImagesError):
    """The attribute table cannot be read or joined to the images."""


class StoreNotFound(ImagesError):
    """No image store lies in the folder."""


class StoreIncomplete(ImagesError):
    """Parts of the image store are missing or cut short."""


class StoreVersionUnknown(ImagesError):
    """The image store was written by another format version."""


class FilesError(ZspaceError):
    """The file system refused."""

    exit_code = 4


class OutputNotWritable(FilesError):
    """The output place cannot be written to."""


class DiskFull(FilesError):
    """No space is left for the output."""


class FileDamaged(FilesError):
    """A file exists but cannot be read as what it should be."""


class WeightsDoNotFit(FilesError):
    """Weights on disk are those of another network."""


class FolderHoldsAnotherStudy(FilesError):
    """The output folder belongs to a study of another name."""


class FolderNotEmpty(FilesError):
    """The output folder holds files that no study wrote."""


class FolderInUse(FilesError):
    """Another process is writing to the folder at this moment."""


class LatentsNotFound(FilesError):
    """There is no file of z-points at the path."""


class LatentsUnreadable(FilesError):
    """A file is of no known kind, damaged, or holds no z-points."""


class NotARunFolder(FilesError):
    """The folder holds no trained run."""


class NotAStudyFolder(FilesError):
    """The folder holds no study."""


class NothingFinished(FilesError):
    """No model of a study is finished with the settings of its plan."""


class TrainingError(ZspaceError):
    """Training could not go on."""

    exit_code = 5


class RunDiverged(TrainingError):
    """A watched quantity jumped, or was not finite, more often than the guard may go back."""


class EpochNotKept(TrainingError):
    """No checkpoint of the asked epoch was kept."""


class DeviceMissing(TrainingError):
    """The requested device is not there."""


class GeometryError(ZspaceError):
    """The cloud of z-points cannot be measured."""

    exit_code = 6


class TooFewPoints(GeometryError):
    """The cloud has fewer points than the measure needs."""


class PointsNotFinite(GeometryError):
    """The cloud holds NaN or infinite coordinates."""


class TooManyBins(GeometryError):
    """The bin width is so narrow for the spread of the cloud that the histogram would not fit in memory."""
