"""Pretraining an encoder on drawn series whose regimes are known."""
