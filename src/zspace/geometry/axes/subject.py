"""Components as a subject: how far from normal the points are spread along each of them."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from zspace.geometry.axes.normality import Shape, axis_shapes
from zspace.geometry.clouds import Cloud
from zspace.geometry.measures import Profile, Quantity, Subject

_FEWEST_POINTS = 8
_SHARES = np.arange(0.05, 0.951, 0.05)


@dataclass(frozen=True)
class AxesView:
    """Shapes of the points along the principal components, and how lopsided the cloud is as a whole."""

    shape: Shape
    lopsidedness: float


def axes_view(cloud: Cloud) -> AxesView:
    """Return the shapes along the principal components that have a spread.

    Raises
    ------
    TooFewPoints
        For fewer than 8 points, or when all are equal.
    """
    cloud.require_points("axes", _FEWEST_POINTS)
    whitened = cloud.whitened
    squares = np.einsum("ij,ij->i", whitened, whitened)
    # A cloud of its own, whose axes are the components: what is true of axes is computed once.
    shape = axis_shapes(Cloud(whitened), np.arange(whitened.shape[1]))
    return AxesView(shape, float(np.linalg.norm(squares.astype(np.float64) @ whitened) / len(whitened)))


def _kurtoses(view: AxesView) -> tuple[Float64[np.ndarray, " n_x"], Float64[np.ndarray, " n_x"]]:
    return _SHARES, np.quantile(view.shape.excess_kurtosis, _SHARES)


SUBJECT = Subject(
    "axes",
    "Components",
    "Are the points spread normally along every principal component?",
    axes_view,
    (
        Quantity(
            "largest_skewness",
            "Largest skewness",
            "cubed deviations",
            "largest absolute skewness of a principal component",
            "high",
            lambda view: float(np.abs(view.shape.skewness).max()),
        ),
        Quantity(
            "mean_excess_kurtosis",
            "Mean excess kurtosis",
            "deviations to the fourth",
            "mean over the principal components",
            "both",
            lambda view: float(view.shape.excess_kurtosis.mean()),
        ),
        Quantity(
            "largest_excess_kurtosis",
            "Largest excess kurtosis",
            "deviations to the fourth",
            "largest absolute excess kurtosis of a principal component",
            "high",
            lambda view: float(np.abs(view.shape.excess_kurtosis).max()),
        ),
        Quantity(
            "lopsidedness",
            "Lopsidedness",
            "cubed deviations",
            "length of the mean of |y|^2 y over whitened points y (Móri, Rohatgi and Székely 1993)",
            "high",
            lambda view: view.lopsidedness,
        ),
    ),
    (
        Profile(
            "kurtoses",
            "Excess kurtosis of the components",
            "share of components with less",
            "excess kurtosis",
            _kurtoses,
        ),
    ),
)
