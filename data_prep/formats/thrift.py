"""As much of Thrift's compact protocol as tells how large a Parquet file is, before it is decoded.

Source: https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

from typing import TypeAlias

Struct: TypeAlias = "dict[int, int | Struct]"

_TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY = 1, 2, 3, 7, 8
_LIST, _SET, _MAP, _STRUCT, _UUID = 9, 10, 11, 12, 13
# Of those of a fixed size; a truth value has a byte of its own in a list only.
_BYTES = {_TRUE: 1, _FALSE: 1, _BYTE: 1, _DOUBLE: 8, _UUID: 16}
_WHOLE = (4, 5, 6)
_DEEPEST = 32
_LONGEST_VARINT = 10


class Compact:
    """A reader of the bytes of one message.

    Attributes:
        at: How many bytes have been read.
        structs: How many structs have been met.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0
        self.structs = 0

    def struct(self, depth: int = 0) -> Struct:
        """Read a struct: its whole numbers, truth values and structs by their fields' numbers.

        Raises:
            ValueError: It is none.
            IndexError: It goes on beyond the bytes.
        """
        if depth > _DEEPEST:
            raise ValueError("structs are nested too deeply")
        self.structs += 1
        found: Struct = {}
        field = 0
        while kind := self._data[self.at]:
            self.at += 1
            field = field + (kind >> 4) if kind >> 4 else self._zigzag()
            kind &= 15
            if kind in _WHOLE:
                found[field] = self._zigzag()
            elif kind == _STRUCT:
                found[field] = self.struct(depth + 1)
            elif kind in (_TRUE, _FALSE):
                found[field] = int(kind == _TRUE)
            else:
                self._skip(kind, depth + 1)
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

    def _zigzag(self) -> int:
        value = self.varint()
        return (value >> 1) ^ -(value & 1)

    def _skip(self, kind: int, depth: int) -> None:
        if kind in _WHOLE:
            self.varint()
        elif kind in _BYTES:
            self.at += _BYTES[kind]
        elif kind == _BINARY:
            length = self.varint()
            self.at += length
        elif kind == _STRUCT:
            self.struct(depth)
        elif kind in (_LIST, _SET):
            head = self._data[self.at]
            self.at += 1
            self._skip_all(head >> 4 if head >> 4 < 15 else self.varint(), (head & 15,), depth + 1)
        elif kind == _MAP:
            self._skip_map(depth + 1)
        else:
            raise ValueError(f"there is no type {kind}")

    def _skip_map(self, depth: int) -> None:
        if count := self.varint():
            kinds = self._data[self.at]
            self.at += 1
            self._skip_all(count, (kinds >> 4, kinds & 15), depth)

    def _skip_all(self, count: int, kinds: tuple[int, ...], depth: int) -> None:
        # Every element has a byte at least.
        if count > len(self._data) - self.at or depth > _DEEPEST:
            raise ValueError("a list has more elements than there are bytes, or too deep ones")
        for _ in range(count):
            for kind in kinds:
                self._skip(kind, depth)
