"""Description of an encoder; importable without Keras."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from regimetry.encoder.convolutions import reach
from regimetry.encoder.registry import POOLINGS
from regimetry.errors import ConfigError
from regimetry.parameters import check_fields, option

EncodingMethod = Literal["sinusoidal", "learnable", "none"]
EncodingStyle = Literal["interleaved", "stacked"]
Convolutions = Literal["beside", "alone", "auto"]

TRANSFORMER_UP_TO = 20
"""Windows that "auto" still gives the Transformer, in rows; longer ones the bank tells alone."""


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
    convolutions : {"beside", "alone", "auto"} or None
        A bank of fixed convolutions (:mod:`regimetry.encoder.convolutions`), whose features come
        before those of the Transformer, or in their place. "auto" leaves the Transformer out of
        windows of more than 20 rows, unless it is trained. ``None``: no bank.

    Raises
    ------
    ConfigError
        A field has a value that is not allowed, or missing rows are masked beside convolutions.
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
    convolutions: Convolutions | None = option(None)

    def __post_init__(self) -> None:
        check_fields(self)
        if self.convolutions is not None and self.padding_mask:
            raise ConfigError(
                f"padding_mask is True and convolutions is {self.convolutions!r}; a convolution "
                "reads every row. Use one of the two."
            )

    def of_windows(
        self, window_size: int, num_features: int | None = None, *, trained: bool = False
    ) -> EncoderConfig:
        """Return the same for windows of a size, with "auto" decided."""
        convolutions = self.convolutions
        if convolutions == "auto":
            convolutions = "beside" if trained or window_size <= TRANSFORMER_UP_TO else "alone"
        return replace(
            self,
            window_size=window_size,
            num_features=num_features or self.num_features,
            convolutions=convolutions,
        )

    def reach_of(self, window_size: int, *, trained: bool = False) -> int:
        """Return how many rows before a window of a size the encoder reads."""
        return self.of_windows(window_size, trained=trained).reach

    @property
    def reach(self) -> int:
        """Rows before a window that the encoder reads: those that convolutions begin with."""
        return 0 if self.convolutions is None else reach(self.window_size)

    @property
    def token_size(self) -> int:
        """D; the number of features must be known."""
        size = self.embedding_dim or self.num_features
        assert size is not None
        return size

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain data."""
        return asdict(self)


DEFAULT_ENCODER = EncoderConfig(embedding_dim=64, pooling="moments", convolutions="auto")
"""What :class:`~regimetry.RegimeDetector` takes where it is given none."""
