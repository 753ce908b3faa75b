"""Description of an encoder; importable without Keras."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from regimetry.encoder.registry import POOLINGS
from regimetry.errors import ConfigError
from regimetry.parameters import require_choice, require_integer

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

    window_size: int = 30
    num_features: int | None = None
    embedding_dim: int | None = None
    encoding_method: EncodingMethod = "sinusoidal"
    encoding_style: EncodingStyle = "interleaved"
    head_size: int = 256
    num_heads: int = 4
    ff_dim: int = 128
    num_transformer_blocks: int = 2
    dropout: float = 0.1
    pooling: str = "mean"
    padding_mask: bool = False
    look_ahead_mask: bool = False

    def __post_init__(self) -> None:
        for field in ("window_size", "head_size", "num_heads", "ff_dim"):
            require_integer(field, getattr(self, field), 1)
        for field in ("num_features", "embedding_dim"):
            if getattr(self, field) is not None:
                require_integer(field, getattr(self, field), 1, other="None or ")
        require_integer("num_transformer_blocks", self.num_transformer_blocks, 0)
        require_choice("encoding_method", self.encoding_method, get_args(EncodingMethod))
        require_choice("encoding_style", self.encoding_style, get_args(EncodingStyle))
        require_choice("pooling", self.pooling, tuple(POOLINGS))
        for field in ("padding_mask", "look_ahead_mask"):
            if not isinstance(getattr(self, field), bool):  # 1 equals True
                raise ConfigError(f"{field} is {getattr(self, field)!r}; it must be True or False.")
        number = isinstance(self.dropout, int | float) and not isinstance(self.dropout, bool)
        if not number or not 0.0 <= self.dropout < 1.0:
            raise ConfigError(f"dropout is {self.dropout!r}; it must be a number in [0, 1).")

    @property
    def token_dim(self) -> int:
        """D, size of one token.

        Raises
        ------
        ConfigError
            Neither ``embedding_dim`` nor ``num_features`` is set.
        """
        size = self.embedding_dim or self.num_features
        if size is None:
            raise ConfigError(
                "num_features is None and so is embedding_dim; the token size is unknown. "
                "Set num_features to the number of columns."
            )
        return size

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain data."""
        return asdict(self)
