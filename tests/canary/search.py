"""Finds any eight bytes in a row of a secret in a heap of bytes, whatever form they were written in."""

import base64
import zlib

WINDOW = 8


def forms(secret):
    """(name, the secret in that form, length of eight bytes in it); base64 at each of three alignments."""
    yield "raw", secret, WINDOW
    yield "reversed", secret[::-1], WINDOW
    yield "hex", secret.hex().encode(), 2 * WINDOW
    yield "upper hex", secret.hex().upper().encode(), 2 * WINDOW
    yield "url", b"".join(b"%%%02X" % byte for byte in secret), 3 * WINDOW
    yield "json escapes", b"".join(b"\\u%04x" % byte for byte in secret), 6 * WINDOW
    yield "utf-16", secret.decode("latin-1").encode("utf-16-le"), 2 * WINDOW
    for shift in range(3):
        padded = base64.b64encode(b"\0" * shift + secret)
        # What stands at the ends depends on the neighbours, so it is left out.
        yield f"base64+{shift}", padded[4 if shift else 0 : -4], 10
        yield f"base64url+{shift}", base64.urlsafe_b64encode(b"\0" * shift + secret)[
            4 if shift else 0 : -4
        ], 10


class Needles:
    """All windows of all secrets in all forms, by length."""

    def __init__(self, secrets):
        self.by_length = {}
        for name, secret in secrets.items():
            for form, text, length in forms(secret.encode()):
                windows = self.by_length.setdefault(length, {})
                for at in range(len(text) - length + 1):
                    windows[text[at : at + length]] = f"{name} ({form})"

    def found_in(self, heap):
        """Names and forms of the secrets of which a part is in `heap`."""
        found = set()
        for length, windows in self.by_length.items():
            seen = (heap[at : at + length] for at in range(len(heap) - length + 1))
            found.update(windows[window] for window in seen if window in windows)
        return found

    def found_packed(self, heap):
        """The same inside gzip and zlib streams that begin anywhere in `heap`."""
        found = set()
        for magic, bits in ((b"\x1f\x8b\x08", 31), (b"\x78\x9c", 15), (b"\x78\x01", 15), (b"\x78\xda", 15)):
            at = heap.find(magic)
            while at >= 0:
                try:
                    found |= self.found_in(zlib.decompressobj(bits).decompress(heap[at:], 1 << 20))
                except zlib.error:
                    pass
                at = heap.find(magic, at + 1)
        return found
