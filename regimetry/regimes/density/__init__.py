"""The density of the next row in each regime, with a scale of its own that moves on every row."""
