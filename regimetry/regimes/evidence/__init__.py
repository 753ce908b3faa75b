"""Evidence of single bars for the regimes that windows found."""
