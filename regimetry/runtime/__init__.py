"""Stage 6, production: sessions, models and streams, on numpy and onnxruntime alone."""
