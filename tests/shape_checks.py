"""The type checker of the tests: beartype, with whole numbers welcome where floats are, as everywhere in Python."""

from beartype import BeartypeConf, beartype

check = beartype(conf=BeartypeConf(is_pep484_tower=True))
