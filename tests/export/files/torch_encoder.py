"""Write torch_encoder.onnx: a small Transformer of PyTorch, exported as anyone would.

Made with torch 2.13.0, onnx 1.23.2 and onnxscript: python torch_encoder.py
"""

from pathlib import Path

import onnx
import torch
from torch import nn

WINDOW, FEATURES, SIZE = 10, 4, 8


class Encoder(nn.Module):
    """Windows (batch, W, F) to embeddings (batch, 2 D): mean and last token of one block."""

    def __init__(self):
        super().__init__()
        self.project = nn.Linear(FEATURES, SIZE)
        self.position = nn.Parameter(torch.randn(WINDOW, SIZE))
        self.attention = nn.MultiheadAttention(SIZE, 2, batch_first=True)
        self.norm = nn.LayerNorm(SIZE)
        self.dropout = nn.Dropout(0.1)

    def forward(self, windows):
        """Return the embeddings."""
        tokens = self.project(windows) + self.position
        attended, _ = self.attention(tokens, tokens, tokens, need_weights=False)
        tokens = self.norm(tokens + self.dropout(attended))
        return torch.cat([tokens.mean(dim=1), tokens[:, -1]], dim=1)


def main():
    """Export for inference, the batch left open, without the traces of where it was made."""
    torch.manual_seed(0)
    program = torch.onnx.export(
        Encoder().eval(),
        (torch.zeros(2, WINDOW, FEATURES),),
        input_names=["windows"],
        output_names=["embedding"],
        dynamic_shapes={"windows": {0: torch.export.Dim("batch")}},
        opset_version=18,
        dynamo=True,
    )
    model = program.model_proto
    for part in (model, model.graph, *model.graph.node, *model.graph.value_info):
        del part.metadata_props[:]
    onnx.save(model, Path(__file__).with_suffix(".onnx"))


if __name__ == "__main__":
    main()
