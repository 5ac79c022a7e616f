"""As much of Thrift's compact protocol as tells how large a Parquet file is, before it is decoded.

Source: https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

from collections.abc import Mapping
from typing import TypeAlias, Union

Value: TypeAlias = "int | bytes | Struct | list[Value]"
Struct: TypeAlias = "dict[int, Value]"
# What is kept: a type by its number, a struct by its fields, a list by what each element is.
Kind: TypeAlias = Union[int, "Mapping[int, Kind]", "tuple[Kind]"]

_TRUE, _FALSE, _BYTE, _DOUBLE = 1, 2, 3, 7
_LIST, _SET, _MAP, _STRUCT, _UUID = 9, 10, 11, 12, 13
BOOL, I16, I32, I64, BINARY = 1, 4, 5, 6, 8
# Of those of a fixed size; a truth value has a byte of its own in a list only.
_BYTES = {_TRUE: 1, _FALSE: 1, _BYTE: 1, _DOUBLE: 8, _UUID: 16}
_BITS = {I16: 16, I32: 32, I64: 64}
_DEEPEST = 32
_LONGEST_VARINT = 10


class TooManyError(ValueError):
    """A message has more parts than may be read."""


class Compact:
    """A reader of the bytes of one message.

    It refuses what two readers may understand in two ways: the reader of C++ passes over a field
    of another type than it knows, and cuts numbers to their width.

    Attributes:
        at: How many bytes have been read.
        structs: How many structs have been met.
    """

    def __init__(
        self,
        data: "bytes | memoryview[int]",
        most_structs: int | None = None,
        most_parts: int | None = None,
    ) -> None:
        self._data = data
        self._most_structs = len(data) if most_structs is None else most_structs
        self._parts = len(data) if most_parts is None else most_parts
        self.at = 0
        self.structs = 0

    def struct(self, kept: Mapping[int, Kind], depth: int = 0) -> Struct:
        """Read a struct.

        Args:
            kept: The types of the fields that are returned, by their numbers.
            depth: How many structs it is in.

        Raises:
            TooManyError: It has too many parts.
            ValueError: It is none.
            IndexError: It goes on beyond the bytes.
        """
        if depth > _DEEPEST:
            raise ValueError("structs are nested too deeply")
        self.structs += 1
        if self.structs > self._most_structs:
            raise TooManyError("there are too many structs")
        found: Struct = {}
        met: set[int] = set()
        field = 0
        while kind := self._data[self.at]:
            self.at += 1
            field = field + (kind >> 4) if kind >> 4 else self._number(I16)
            kind &= 15
            if field in met or field >> 15:
                raise ValueError(f"a field {field} is repeated or there is none of that number")
            met.add(field)
            self._count(1)
            wanted = kept.get(field)
            if kind in (_TRUE, _FALSE):
                _same(wanted, BOOL)
                if wanted is not None:
                    found[field] = int(kind == _TRUE)
            elif wanted is None:
                self._skip(kind, depth + 1)
            else:
                found[field] = self._value(kind, wanted, depth + 1)
        self.at += 1
        return found

    def varint(self) -> int:
        """Read a whole number without sign."""
        value = 0
        for place in range(_LONGEST_VARINT):
            byte = self._data[self.at]
            self.at += 1
            value |= (byte & 127) << 7 * place
            if byte < 128:
                return value
        raise ValueError("a number has too many bytes")

    def _number(self, kind: int) -> int:
        value = self.varint()
        if value >> _BITS[kind]:
            raise ValueError("a number is larger than its type")
        return (value >> 1) ^ -(value & 1)

    def _count(self, parts: int) -> None:
        self._parts -= parts
        if self._parts < 0:
            raise TooManyError("there are too many fields and elements")

    def _value(self, kind: int, wanted: Kind, depth: int) -> Value:
        if isinstance(wanted, tuple):
            _same(_LIST, kind)
            count, element = self._head(depth)
            return [self._value(element, wanted[0], depth + 1) for _ in range(count)]
        if isinstance(wanted, Mapping):
            _same(_STRUCT, kind)
            return self.struct(wanted, depth)
        _same(wanted, kind)
        if kind == BINARY:
            start = self._jump(self.varint())
            return bytes(self._data[start : self.at])
        return self._number(kind)

    def _head(self, depth: int) -> tuple[int, int]:
        """Read how many elements a list has, and of which type."""
        head = self._data[self.at]
        self.at += 1
        count = head >> 4 if head >> 4 < 15 else self.varint()
        self._check_elements(count, depth)
        # Those of a fixed size are passed over at once.
        self._count(count if head & 15 not in _BYTES else 1)
        return count, head & 15

    def _check_elements(self, count: int, depth: int) -> None:
        # Every element has a byte at least.
        if count > len(self._data) - self.at or depth > _DEEPEST:
            raise ValueError("a list has more elements than there are bytes, or too deep ones")

    def _jump(self, length: int) -> int:
        """Pass over bytes, and return where they begin."""
        start = self.at
        self.at += length
        if self.at > len(self._data):
            raise IndexError("the bytes end within a value")
        return start

    def _skip(self, kind: int, depth: int) -> None:
        if kind in _BITS:
            self._number(kind)
        elif kind in _BYTES:
            self._jump(_BYTES[kind])
        elif kind == BINARY:
            self._jump(self.varint())
        elif kind == _STRUCT:
            self.struct({}, depth)
        elif kind in (_LIST, _SET):
            count, element = self._head(depth)
            if element in _BYTES:
                self._jump(count * _BYTES[element])
                return
            for _ in range(count):
                self._skip(element, depth + 1)
        elif kind == _MAP:
            self._skip_map(depth + 1)
        else:
            raise ValueError(f"there is no type {kind}")

    def _skip_map(self, depth: int) -> None:
        if count := self.varint():
            kinds = self._data[self.at]
            self.at += 1
            self._check_elements(count, depth)
            self._count(2 * count)
            for _ in range(count):
                self._skip(kinds >> 4, depth)
                self._skip(kinds & 15, depth)


def _same(wanted: Kind | None, kind: int) -> None:
    if wanted is not None and wanted != kind:
        raise ValueError("a field is of another type than its own")
