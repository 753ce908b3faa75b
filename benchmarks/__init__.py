"""Figures that README and docs claim, each from a command."""
