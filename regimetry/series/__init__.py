"""Stage 1: data in, checked and in the model's column order."""
