"""Market regimes without labels."""
