"""The sheets of maps as files: where the points lie, each map in a file of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from zspace.checkpoints import load_tensors, save_tensors
from zspace.figures import slug
from zspace.files import make_folder
from zspace.results import Map, MapSheet
from zspace.runfolder import RunFolder


def map_path(folder: RunFolder, name: str) -> Path:
    """Return the file of a map's sheet."""
    return folder.maps / f"{slug(name)}.safetensors"


def save_sheet(path: Path, sheet: MapSheet) -> None:
    """Write a sheet as safetensors, atomically."""
    arrays = {"rows": sheet.rows, "coordinates": sheet.coordinates, "scored": sheet.scored}
    arrays |= {f"score {name}": values for name, values in sheet.scores.items()}
    arrays |= {f"color {name}": values for name, values in sheet.colors.items()}
    if sheet.null_coordinates is not None:
        arrays["null coordinates"] = sheet.null_coordinates
    make_folder(path.parent)
    save_tensors(path, {name: torch.from_numpy(values) for name, values in arrays.items()}, {})


def read_sheets(folder: RunFolder, maps: dict[str, Map]) -> dict[str, MapSheet]:
    """Return the sheets of the maps that were drawn, by the name of the map."""
    drawn = [name for name, found in maps.items() if found.elapsed_seconds is not None]
    return {name: _read_sheet(map_path(folder, name)) for name in drawn}


def _read_sheet(path: Path) -> MapSheet:
    tensors, _ = load_tensors(path)
    arrays = {name: tensor.numpy() for name, tensor in tensors.items()}

    def of_kind(kind: str) -> dict[str, np.ndarray]:
        return {name.removeprefix(kind): values for name, values in sorted(arrays.items()) if name.startswith(kind)}

    return MapSheet(
        arrays["rows"],
        arrays["coordinates"],
        arrays["scored"],
        of_kind("score "),
        of_kind("color "),
        arrays.get("null coordinates"),
    )
