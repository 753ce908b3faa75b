"""How many regimes, and how long the windows."""
