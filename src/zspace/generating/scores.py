"""Scores of generated images."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Bool

from zspace.estimates import share_estimate
from zspace.results import Estimate
from zspace.shapes import Image, Images

FACE_DETECTOR = "haarcascade_frontalface_default.xml"
_DETECTOR_SIDE = 192
"""Images are enlarged to this side before detection: the cascade's own window is 24 pixels."""
_SMALLEST_FACE = 0.3
"""Smallest face that counts, as a share of the side."""
_APPLIES_FROM = 0.5
"""The detector must find a face in this share of the originals, or it says nothing about these images."""


def find_faces(images: Images) -> Bool[np.ndarray, " n_images"]:
    """Return in which images OpenCV's frontal-face cascade finds at least one face.

    Cost
    ----
    About 5 ms an image and core.
    """
    n_workers = os.cpu_count() or 1
    parts = np.array_split(np.arange(len(images)), n_workers)
    with ThreadPoolExecutor(n_workers) as pool:
        found = pool.map(lambda part: _find_faces_in(images[part]), parts)
    return np.concatenate(list(found))


def _find_faces_in(images: Images) -> Bool[np.ndarray, " n_images"]:
    # A cascade holds working memory, so every thread loads its own.
    cascade = cv2.CascadeClassifier(str(Path(cv2.__file__).parent / "data" / FACE_DETECTOR))
    return np.array([_has_face(cascade, image) for image in images], dtype=bool)


def _has_face(cascade: cv2.CascadeClassifier, image: Image) -> bool:
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    grey = cv2.resize(grey, (_DETECTOR_SIDE, _DETECTOR_SIDE), interpolation=cv2.INTER_CUBIC)
    smallest = int(_SMALLEST_FACE * _DETECTOR_SIDE)
    return len(cascade.detectMultiScale(grey, scaleFactor=1.1, minNeighbors=3, minSize=(smallest, smallest))) > 0


def rate_estimate(n_hits: int, n_images: int, seed: int) -> Estimate:
    """Return the share of hits with a Wilson interval; of no images, None with this reason.

    Source
    ------
    Wilson 1927; coverage close to nominal at any rate, unlike the textbook normal interval.
    """
    unit, source = "share of images", f"OpenCV {FACE_DETECTOR} finds at least one face"
    if n_images == 0:
        return replace(Estimate.unknown("there are no images to look at", unit, source, 0), seed=seed)
    found = share_estimate(n_hits, n_images, unit, source, "Wilson")
    return replace(found, seed=seed, assumptions=("images are independent draws",))


def face_rate(hits: Bool[np.ndarray, " n_images"], rate_of_originals: float, seed: int) -> Estimate:
    """Return the share of images with a detectable face.

    Parameters
    ----------
    hits
        What `find_faces` said of the images.
    rate_of_originals
        The same share for the original images. Where the detector misses most of them it says nothing about their
        kind, and the value is None with this reason.
    seed
        Of the draw; recorded, not used.
    """
    estimate = rate_estimate(int(hits.sum()), len(hits), seed)
    if estimate.value is None or rate_of_originals >= _APPLIES_FROM:
        return estimate
    found = f"the face detector finds a face in only {rate_of_originals:.1%} of the originals"
    reason = f"{found}, so it cannot judge these images"
    return replace(Estimate.unknown(reason, estimate.unit, estimate.source, len(hits)), seed=seed)
