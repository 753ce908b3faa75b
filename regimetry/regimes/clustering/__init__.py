"""From embeddings to regimes: slow directions, landmarks, normalised cuts."""
