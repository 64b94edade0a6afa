"""What crosses to the native side has the same names on both sides."""

from gatework import _native
from gatework.scan.records import RECORDS


def test_every_record_has_the_fields_of_the_native_one_in_its_order():
    assert {r.__name__: ", ".join(r._fields) for r in RECORDS} == {
        name: " ".join(text.split()) for name, text in _native.RECORDS.items()
    }
