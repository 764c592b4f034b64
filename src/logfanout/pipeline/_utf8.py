"""Are the messages of a chunk UTF-8?

    bytes ──► is_whole ──► whether every character in them is one, and whole

Part of the step ``records``. Pure. The JSON decoder does not ask it of what it does not unescape.
"""

from codecs import utf_8_decode

_LOOKED_AT_BYTES = 4096  # at once: ten messages of the usual length


def is_whole(data: bytes) -> bool:
    """Whether *data* is UTF-8.

    ASCII is told ten times as fast as the rest is decoded: where some messages are not ASCII, their surroundings alone
    are decoded. Decoding all of it took a seventh of a large object's processor time.
    """
    if data.isascii():
        return True
    begun = b""  # a character's first bytes, at the end of what was looked at last
    try:
        for at in range(0, len(data), _LOOKED_AT_BYTES):
            look = begun + data[at : at + _LOOKED_AT_BYTES]
            if not look.isascii():
                _, read = utf_8_decode(look, "strict", False)
                begun = look[read:]
    except UnicodeDecodeError:
        return False
    return not begun
