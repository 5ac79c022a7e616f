"""Messages of Thrift's compact protocol are read as far as they tell sizes, or refused."""

import pytest

from data_prep.formats.thrift import Compact


def test_numbers_truth_values_and_structs_are_found_by_their_fields() -> None:
    """What else there is, of every type, is passed over."""
    message = (
        b"\x15\x02"  # 1: 1
        b"\x11"  # 2: true
        b"\x12"  # 3: false
        b"\x1c\x16\x03\x00"  # 4: {1: -2}
        b"\x18\x03abc"  # 5: binary
        b"\x17" + bytes(8) + b"\x13\x07"  # 6: double, 7: byte
        b"\x19\x25\x02\x04"  # 8: list of two numbers
        b"\x1b\x01\x58\x02\x01z"  # 9: map of a number to binary
        b"\x05\xc8\x01\x06"  # 100: 3, by its number
        b"\x00"
    )
    reader = Compact(message)
    assert reader.struct() == {1: 1, 2: 1, 3: 0, 4: {1: -2}, 100: 3}
    assert (reader.at, reader.structs) == (len(message), 2)


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\x15",
        b"\x15\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00",
        b"\x19\xf5\xff\xff\xff\x7f\x00",
        b"\x1e\x00",
        b"\x1c" * 100,
        b"\x19\x1c" * 100,
        b"\x1b\xff\xff\x7f\x55",
        b"\x18\x05a",
    ],
)
def test_what_is_no_message_is_refused(message: bytes) -> None:
    """It is cut, or nested without end, or has more elements than bytes."""
    with pytest.raises((ValueError, IndexError)):
        Compact(message).struct()
