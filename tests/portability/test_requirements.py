"""What is absent is skipped, with the reason; in continuous integration it is a failure."""

import pytest


def test_what_is_absent_is_skipped(require, monkeypatch):
    monkeypatch.delenv("REGIMETRY_REQUIRE_PORTABILITY", raising=False)
    with pytest.raises(pytest.skip.Exception, match="Node is not installed; examples/README"):
        require(False, "Node is not installed")


def test_what_is_absent_fails_where_it_is_required(require, monkeypatch):
    monkeypatch.setenv("REGIMETRY_REQUIRE_PORTABILITY", "1")
    with pytest.raises(pytest.fail.Exception, match="Node is not installed"):
        require(False, "Node is not installed")
