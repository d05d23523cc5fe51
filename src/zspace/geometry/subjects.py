"""The subjects that a verdict looks at, each one family of tests; a row's life can be read in its own folder."""

from zspace.geometry.connectivity.subject import SUBJECT as CONNECTIVITY
from zspace.geometry.dimension.shapes import SUBJECT as SHAPES
from zspace.geometry.dimension.subject import SUBJECT as DIMENSION
from zspace.geometry.hollow.subject import SUBJECT as HOLLOW
from zspace.geometry.measures import Subject
from zspace.geometry.neighbourhoods.subject import SUBJECT as NEIGHBOURS

SUBJECTS: dict[str, Subject] = {row.name: row for row in (NEIGHBOURS, DIMENSION, CONNECTIVITY, HOLLOW, SHAPES)}
