"""Messages of Thrift's compact protocol are read as far as they tell sizes, or refused."""

import pytest

from data_prep.formats.thrift import BINARY, BOOL, I32, I64, Compact, Kind, TooManyError


def test_numbers_truth_values_and_structs_are_found_by_their_fields() -> None:
    """What else there is, of every type, is passed over, and so is what is not asked for."""
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
    kept: dict[int, Kind] = {1: I32, 2: BOOL, 3: BOOL, 4: {1: I64}, 5: BINARY, 8: (I32,), 100: I32}
    found = {1: 1, 2: 1, 3: 0, 4: {1: -2}, 5: b"abc", 8: [1, 2], 100: 3}
    assert reader.struct(kept) == found
    assert (reader.at, reader.structs) == (len(message), 2)
    assert Compact(message).struct({1: I32}) == {1: 1}


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
        Compact(message).struct({})


@pytest.mark.parametrize("kind", [BOOL, I64, BINARY, (I32,), {1: I32}])
def test_a_field_of_another_type_than_asked_for_is_refused(kind: Kind) -> None:
    """Other readers pass over it."""
    with pytest.raises(ValueError, match="of another type"):
        Compact(b"\x15\x02\x00").struct({1: kind})


def test_a_message_of_too_many_parts_is_not_read_on() -> None:
    """It stops where the limit is passed; elements of a fixed size are passed over at once."""
    numbers = b"\x19\xf5\xe8\x07" + b"\x02" * 1000 + b"\x00"
    Compact(numbers, most_parts=1001).struct({})
    reader = Compact(numbers, most_parts=1000)
    with pytest.raises(TooManyError, match="fields and elements"):
        reader.struct({})
    assert reader.at < 10
    Compact(b"\x19\xf7\xe8\x07" + bytes(8000) + b"\x00", most_parts=2).struct({})
    structs = b"\x19\xfc\xe8\x07" + b"\x00" * 1001
    reader = Compact(structs, most_structs=10)
    with pytest.raises(TooManyError, match="structs"):
        reader.struct({})
    assert reader.structs == 11
