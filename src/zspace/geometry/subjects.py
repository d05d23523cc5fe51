"""The subjects that a verdict looks at, each one family of tests; a row's life can be read in its own folder."""

from zspace.geometry.axes.subject import SUBJECT as AXES
from zspace.geometry.clustering.subject import SUBJECT as CLUSTERS
from zspace.geometry.connectivity.subject import SUBJECT as CONNECTIVITY
from zspace.geometry.dimension.shapes import SUBJECT as SHAPES
from zspace.geometry.dimension.subject import SUBJECT as DIMENSION
from zspace.geometry.hollow.subject import SUBJECT as HOLLOW
from zspace.geometry.measures import Subject
from zspace.geometry.neighbourhoods.subject import SUBJECT as NEIGHBOURS
from zspace.geometry.planes.subject import SUBJECT as PLANES
from zspace.geometry.radius.subject import SUBJECT as RADIUS
from zspace.geometry.two_samples.subject import SUBJECT as TWO_SAMPLE

SUBJECTS: dict[str, Subject] = {
    row.name: row
    for row in (RADIUS, AXES, NEIGHBOURS, DIMENSION, SHAPES, CONNECTIVITY, CLUSTERS, PLANES, HOLLOW, TWO_SAMPLE)
}
