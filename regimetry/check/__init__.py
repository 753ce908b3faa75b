"""Whether a model file computes here what it computed where it was made."""
