"""What is absent is skipped, with the reason; in continuous integration it is a failure."""

import pytest


def test_what_is_absent(require, monkeypatch):
    for required, outcome, message in (
        ("", pytest.skip.Exception, "Node is not installed; examples/README"),
        ("1", pytest.fail.Exception, "Node is not installed, and"),
    ):
        monkeypatch.setenv("REGIMETRY_REQUIRE_PORTABILITY", required)
        with pytest.raises(outcome, match=message):
            require(False, "Node is not installed")
