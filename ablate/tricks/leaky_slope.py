"""The slopes of the leaky activations."""

from dataclasses import replace

from ablate.trick import Layer, Leaky, Network, Player, Strength, Trick, number, rewrite


class LeakySlope(Trick):
    """Activations are max(slope x, x), with one slope in D and another in G.

    Slope 0 is ReLU exactly. Seeds differ: 0.01 (torch's default), 0.2 in D alone (DCGAN), 0.2 in
    both. A leaky layer passes a gradient where ReLU passes none; it does not learn a threshold for
    every unit, as a widespread tutorial says: that is PReLU (act_kind).

    Source: Maas et al. 2013, "Rectifier nonlinearities improve neural network acoustic models";
    Radford et al. 2015, arXiv 1511.06434, section 3; GAN hacks (Chintala et al. 2016), number 5.
    """

    group = "activation"
    rank = 1  # behind act_kind, whose layers are left alone
    neutral = {"slope_d": 0.2, "slope_g": 0.0}
    cheap = True

    slope_d: Strength = number(0, 1)
    slope_g: Strength = number(0, 1)

    def network(self, layers: Network, player: Player) -> Network:
        """Give every leaky layer the player's slope."""

        def slope() -> Strength:  # read at every call: buffers move between devices
            return self.slope_g if player == "G" else self.slope_d

        def edit(layer: Layer) -> Layer:
            return replace(layer, slope=slope) if type(layer) is Leaky else layer

        return rewrite(layers, edit)
