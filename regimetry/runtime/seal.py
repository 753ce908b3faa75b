"""The seal of a model file: the SHA-256 of its bytes, as the last entry of its metadata.

It shows that a file is as it was written: graph, weights and contract. It is no signature: whoever
changes a file can seal it anew. Against that, pin the sum of the whole file
(``regimetry.load(path, sha256=...)``) or sign the file.
"""

from __future__ import annotations

import hashlib

from regimetry.runtime.onnx_messages import ENTRY_KEY, ENTRY_VALUE, MODEL, MODEL_METADATA
from regimetry.runtime.protobuf import as_field

SEAL_KEY = "regimetry.seal"


def sealed(content: bytes) -> bytes:
    """Return a model whose last entry is the SHA-256 of all bytes before it, in hexadecimals.

    Parameters
    ----------
    content : bytes
        A serialised ``ModelProto``, whose own seal, if it has one, is replaced.
    """
    body = b"".join(
        whole
        for number, value, whole in MODEL.fields(memoryview(content))
        if number != MODEL_METADATA or not bytes(value).startswith(_KEY)
    )
    return body + _entry(hashlib.sha256(body).hexdigest())


def seal_of(content: memoryview) -> str | None:
    """Return the sum in the seal that ends a model; ``None`` where it is not that of the model."""
    body = content[: len(content) - _LENGTH]
    total = hashlib.sha256(body).hexdigest()
    return total if content[len(body) :] == _entry(total) else None


def _entry(total: str) -> bytes:
    value = b"".join(as_field(ENTRY_VALUE, [total.encode()]))
    return b"".join(as_field(MODEL_METADATA, [_KEY, value]))


_KEY = b"".join(as_field(ENTRY_KEY, [SEAL_KEY.encode()]))
_LENGTH = len(_entry(hashlib.sha256().hexdigest()))
