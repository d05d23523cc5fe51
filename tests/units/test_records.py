"""Mappings to records: every message is read."""

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import pytest
from jaxtyping import Float64

from zspace.errors import SettingMissing, SettingOutOfRange, UnknownSetting
from zspace.records import NEUTRAL, Checked, Within, deciding_mapping, from_mapping, nearest, to_mapping


@dataclass(frozen=True)
class Inner(Checked):
    width: Annotated[int, Within(1, 9)] = 3
    widths: Annotated[tuple[int, ...], Within(1)] = (1, 2)


@dataclass(frozen=True)
class Outer(Checked):
    name: str
    share: float = 0.5
    kind: Literal["a", "b"] = "a"
    path: str | None = None
    pair: tuple[str, float] | None = None
    inner: Inner = Inner()
    table: dict[str, Inner] | None = None


@dataclass(frozen=True)
class WithArray:
    values: Float64[np.ndarray, " n"]


FULL = {
    "name": "x",
    "share": 1,
    "kind": "b",
    "path": "p",
    "pair": ["left", 2],
    "inner": {"width": 4, "widths": [5]},
    "table": {"one": {"width": 2}},
}


def test_a_full_mapping_becomes_the_record_it_describes():
    record = from_mapping(Outer, FULL, "file")
    assert record == Outer("x", 1.0, "b", "p", ("left", 2.0), Inner(4, (5,)), {"one": Inner(2)})
    assert isinstance(record.share, float)


def test_records_survive_the_way_to_a_mapping_and_back():
    record = from_mapping(Outer, FULL, "file")
    assert from_mapping(Outer, to_mapping(record), "file") == record


@dataclass(frozen=True)
class Marked(Checked):
    size: int = 1
    shown: Annotated[bool, NEUTRAL] = False
    often: Annotated[int, Within(0), NEUTRAL] = 0
    seed: Annotated[Annotated[int, Within(0)] | None, NEUTRAL] = None


@dataclass(frozen=True)
class Holder:
    marked: Marked
    many: tuple[Marked, ...]
    named: dict[str, Marked]


def test_what_decides_leaves_out_neutral_fields_wherever_they_stand():
    holder = Holder(Marked(2, True, 3, 4), (Marked(5, True),), {"a": Marked(6, often=2)})
    assert deciding_mapping(holder) == {"marked": {"size": 2}, "many": [{"size": 5}], "named": {"a": {"size": 6}}}
    assert from_mapping(Holder, to_mapping(holder), "file") == holder
    assert deciding_mapping(from_mapping(Outer, FULL, "file")) == to_mapping(from_mapping(Outer, FULL, "file"))


def test_a_neutral_field_is_checked_like_any_other():
    with pytest.raises(SettingOutOfRange, match=r"^file\.often: must be at least 0, got -1\."):
        from_mapping(Marked, {"often": -1}, "file")
    with pytest.raises(SettingOutOfRange, match=r"^file\.seed: must be at least 0, got -1\."):
        from_mapping(Marked, {"seed": -1}, "file")


def test_a_whole_number_beyond_all_floats_is_refused():
    with pytest.raises(SettingOutOfRange, match=r"^file\.share: must be a number, got 1000"):
        from_mapping(Outer, {"name": "x", "share": 10**400}, "file")


def test_arrays_become_lists_and_arrays_again():
    again = from_mapping(WithArray, to_mapping(WithArray(np.array([1.0, 2.5]))), "file")
    assert again.values.tolist() == [1.0, 2.5]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"nam": 1}, UnknownSetting, r"^file\.nam: must be a known key, got 'nam'\. Did you mean 'name'\?$"),
        ({"inner": {"zzzz": 1}}, UnknownSetting, r"^file\.inner\.zzzz: .* Known are: width, widths\.$"),
        ({"name": 3}, SettingOutOfRange, r"^file\.name: must be text, got 3\."),
        ({"share": "much"}, SettingOutOfRange, r"^file\.share: must be a number, got 'much'\."),
        ({"share": True}, SettingOutOfRange, r"^file\.share: must be a number, got True\."),
        ({"kind": "c"}, SettingOutOfRange, r"^file\.kind: must be one of 'a', 'b', got 'c'\."),
        ({"inner": 3}, SettingOutOfRange, r"^file\.inner: must be a table, got 3\."),
        ({"table": 3}, SettingOutOfRange, r"^file\.table: must be a table, got 3\."),
        ({"inner": {"width": 0}}, SettingOutOfRange, r"^file\.inner\.width: must be between 1 and 9, got 0\."),
        ({"inner": {"width": 2.0}}, SettingOutOfRange, r"must be a whole number without a decimal point, got 2\.0\."),
        ({"inner": {"width": "2"}}, SettingOutOfRange, r"^file\.inner\.width: must be a whole number, got '2'\."),
        ({"inner": {"widths": 2}}, SettingOutOfRange, r"^file\.inner\.widths: must be a list, got 2\."),
        ({"inner": {"widths": [1, "b"]}}, SettingOutOfRange, r"^file\.inner\.widths\[1\]: must be a whole number"),
        ({"inner": {"widths": [1, 0]}}, SettingOutOfRange, r"^file\.inner\.widths: must be at least 1, got \[1, 0\]\."),
        ({"pair": ["a"]}, SettingOutOfRange, r"^file\.pair: must have 2 items, got \['a'\]\."),
    ],
)
def test_what_does_not_fit_is_refused_with_place_rule_and_value(change, error, message):
    with pytest.raises(error, match=message):
        from_mapping(Outer, {"name": "x", **change}, "file")


def test_a_missing_key_without_default_is_named():
    with pytest.raises(SettingMissing, match=r"^file\.name: must be given, got nothing\. Add it\.$"):
        from_mapping(Outer, {}, "file")


def test_the_constructor_checks_as_well():
    with pytest.raises(SettingOutOfRange, match=r"^Inner\.width: must be between 1 and 9, got 10\."):
        Inner(width=10)


def test_nearest_names_near_words_or_all():
    assert nearest("demoo", ["demo", "celeba-ae"]) == "Did you mean 'demo'?"
    assert nearest("qqq", ["demo", "celeba-ae"]) == "Known are: celeba-ae, demo."
