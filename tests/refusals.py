"""What every refusal has to say: what was found, what was expected, and the remedy."""

from contextlib import contextmanager

import pytest

from regimetry.errors import DataError

SENTENCE = r"(?s)^.+; expected .+; .+$"


@contextmanager
def refused(part="", kind=(DataError, TypeError)):
    """Expect a refusal in full, which contains `part`."""
    with pytest.raises(kind, match=SENTENCE) as caught:
        yield
    assert part in str(caught.value)
