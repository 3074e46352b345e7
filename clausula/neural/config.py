"""The transformer's size and kind."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class NetworkConfig:
    """Size and kind of a network; kept in the weights' metadata."""

    width: int = 192  # residual stream
    layers: int = 4  # transformer blocks along time
    heads: int = 6  # attention heads a block
    mlp: int = 768  # hidden units of a block's MLP
    head_mlp: int = 512  # hidden units of each voice's MLP
    window: int = 128  # frames that attention sees, the current one included
    rotary: bool = True  # queries and keys turn with time, beside the bias by distance
    dropout: float = 0.3  # on embeddings, attention output and MLPs
    field_dropout: float = 0.05  # on whole fields of what is embedded
    styles: tuple[str, ...] = ("any",)  # tags that it knows; the first stands for none
    pin_width: int = 0  # residual stream of the encoder of given notes; 0: there is none
    pin_layers: int = 2  # its blocks
    holds: bool = True  # false: tokens are the sounding pitches, as in the published data

    def to_dict(self) -> dict[str, object]:
        """Plain values for metadata."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict) -> NetworkConfig:
        """The config that ``to_dict`` wrote, as metadata kept it."""
        return cls(**values | {"styles": tuple(values["styles"])})
