"""Stage 5, research side: one ONNX graph from raw window to regime."""
