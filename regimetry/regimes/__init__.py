"""Stage 4, research side: from embeddings to regimes, with a map for new points."""
