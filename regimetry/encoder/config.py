"""Description of an encoder; importable without Keras."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from regimetry.encoder.registry import POOLINGS
from regimetry.parameters import check_fields, option

EncodingMethod = Literal["sinusoidal", "learnable", "none"]
EncodingStyle = Literal["interleaved", "stacked"]


@dataclass(frozen=True, kw_only=True)
class EncoderConfig:
    """Architecture of the Transformer encoder.

    Parameters
    ----------
    window_size : int
        W, rows of one window.
    num_features : int or None
        F, columns of one window; ``None`` until the data are known.
    embedding_dim : int or None
        D, size of a token. ``None`` leaves the features as they are (D = F), a number adds a
        dense projection in front.
    encoding_method : {"sinusoidal", "learnable", "none"}
        Positional encoding added to the tokens.
    encoding_style : {"interleaved", "stacked"}
        Layout of sinusoidal positions: sines on even and cosines on odd columns, or all sines
        first. An odd D is padded to D + 1 for the stacked table and the pad column removed.
    head_size : int
        Key and value size of one attention head.
    num_heads : int
        H, attention heads of a block.
    ff_dim : int
        Hidden size of the feed-forward part of a block.
    num_transformer_blocks : int
        Depth; 0 leaves projection, positions and pooling.
    dropout : float
        Rate in [0, 1), active in training only.
    pooling : {"mean", "moments", "max", "last", "attention"} or a registered name
        How W tokens become one embedding. All give D numbers but ``moments``, which gives 3 D;
        :func:`~regimetry.encoder.register_pooling` adds others.
    padding_mask : bool
        Rows that hold a NaN take part in neither attention nor pooling. The mark sits in the
        data: there is no second input.
    look_ahead_mask : bool
        Token t attends to tokens 0..t only.

    Raises
    ------
    ConfigError
        A field has a value that is not allowed.
    """

    window_size: int = option(30, minimum=1)
    num_features: int | None = option(None, minimum=1)
    embedding_dim: int | None = option(None, minimum=1)
    encoding_method: EncodingMethod = option("sinusoidal")
    encoding_style: EncodingStyle = option("interleaved")
    head_size: int = option(256, minimum=1)
    num_heads: int = option(4, minimum=1)
    ff_dim: int = option(128, minimum=1)
    num_transformer_blocks: int = option(2, minimum=0)
    dropout: float = option(0.1, minimum=0, below=1)
    pooling: str = option("mean", choices=POOLINGS)
    padding_mask: bool = option(False)
    look_ahead_mask: bool = option(False)

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def token_size(self) -> int:
        """D; the number of features must be known."""
        size = self.embedding_dim or self.num_features
        assert size is not None
        return size

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain data."""
        return asdict(self)


DEFAULT_ENCODER = EncoderConfig(embedding_dim=64, pooling="moments")
"""What :class:`~regimetry.RegimeDetector` takes where it is given none."""
