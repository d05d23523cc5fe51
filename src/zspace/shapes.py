"""Array types that every layer above shares; the names of dimensions mean the same everywhere.

``n_images``, ``height``, ``width`` and ``channels`` are those of images; ``n_points`` and ``z_dim`` of a cloud of
z-points; ``n_bins`` of a histogram.
"""

import numpy as np
from jaxtyping import Float32, Int64, UInt8

Images = UInt8[np.ndarray, "n_images height width channels"]
"""Pixels in RGB, 0 to 255."""
Image = UInt8[np.ndarray, "height width channels"]
Points = Float32[np.ndarray, "n_points z_dim"]
"""z-points, one a row."""
Rows = Int64[np.ndarray, " n_rows"]
"""Row numbers in an image store."""
