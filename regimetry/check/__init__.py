"""Checks that a model file computes the same here as at its fit."""
