"""First weights whose variance follows the size of the layer."""

from torch import Tensor

from ablate.trick import (
    Conv,
    ConvTranspose,
    Layer,
    Leaky,
    Linear,
    Moment,
    Network,
    Number,
    Player,
    Strength,
    Trick,
    choice,
    leaves,
    like,
    number,
)


class InitVariance(Trick):
    """Kernels start as Gaussians whose variance keeps signals alive: Xavier or He.

    xavier: var = gain^2 2 / (fan_in + fan_out). he: var = gain^2 2 / ((1 + a^2) fan_in), a the
    slope of the player's leaky activations (0 for ReLU and where there is none, the first slope of
    PReLU). Fans are torch's: those of a transposed convolution are swapped, its fan_in counts the
    outputs that one input feeds. Biases are zero.

    Source: Glorot and Bengio 2010, "Understanding the difficulty of training deep feedforward
    neural networks", equation 12; He et al. 2015, arXiv 1502.01852, equations 10 and 15.
    """

    group = "initialisation"
    rank = 10  # sees the activations after every surgery
    excludes = {"init_orthogonal": "both give kernels their first values"}

    kind: str = choice("xavier", "he")
    gain: Strength = number(0)

    def network(self, layers: Network, player: Player) -> Network:
        """Note the slope of the player's activations; edits nothing."""
        found = [leaf.slope for leaf in leaves(layers) if isinstance(leaf, Leaky)]
        slopes: dict[Player, Number] = getattr(self, "slopes", {})
        self.slopes = {**slopes, player: found[0] if found else 0.0}
        return layers

    def init(self, first: Tensor, layer: Layer, part: str, at: Moment) -> Tensor:
        """Return [K, ...] for layers with weights."""
        if not isinstance(layer, Linear | Conv | ConvTranspose):
            return first
        if part == "bias":
            return first.new_zeros(first.shape)
        slope = self.slopes[at.path[-1]]  # the player, whose occasion this is
        a = slope() if callable(slope) else slope
        fan_in, fan_out = layer.fan_in(), first[0].numel() // first.shape[2]
        fan = (1 + a**2) * fan_in if self.kind == "he" else fan_in + fan_out
        drawn = at.normal(f"{self.name}/{layer.name}.{part}", *first.shape[1:])
        return drawn * like((2 / fan) ** 0.5 * self.gain, drawn)
