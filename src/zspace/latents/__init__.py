"""z-points in files of any program: NumPy, safetensors, Parquet, CSV and Zarr.

What is found is told, never mended in silence: which columns of a table are no dimensions, and why; rows that are not
finite, which are left out and counted; constant axes and duplicate rows, which stay and are counted; digits that
float32 would lose, which are kept by a shift or a scale with a note.
"""

from zspace.latents.arrays import Latents, Selection
from zspace.latents.files import check_latents_source, read_latents_file
from zspace.latents.usable import cloud_sentence, usable_latents

__all__ = [
    "Latents",
    "Selection",
    "check_latents_source",
    "cloud_sentence",
    "read_latents_file",
    "usable_latents",
]
