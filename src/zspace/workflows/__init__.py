"""One function a verb: resolve, load, act, save, return the record. Each goes on where it was interrupted."""

from zspace.workflows.budget import budget
from zspace.workflows.encode import encode
from zspace.workflows.generate import generate
from zspace.workflows.measure import measure
from zspace.workflows.pack import pack
from zspace.workflows.repeat import repeat
from zspace.workflows.report import report
from zspace.workflows.study import study, train_models
from zspace.workflows.train import train

__all__ = ["budget", "encode", "generate", "measure", "pack", "repeat", "report", "study", "train", "train_models"]
