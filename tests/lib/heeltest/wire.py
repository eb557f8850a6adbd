"""Protobuf's wire format by hand, for what no library would send."""


def varint(number):
    number &= (1 << 64) - 1
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def field(number, value):
    """An int as a varint, bytes or str with their length, a message as its bytes."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    data = data if isinstance(data, bytes) else data.SerializeToString()
    return varint(number << 3 | 2) + varint(len(data)) + data


def nested(number, depth, inside=b""):
    """Field `number` in itself, so many times. Built from the inside, in time that is linear."""
    parts, length = [inside], len(inside)
    tag = varint(number << 3 | 2)
    for _ in range(depth):
        head = tag + varint(length)
        parts.append(head)
        length += len(head)
    return b"".join(reversed(parts))
