"""A pair of networks of your own, as `model=module` takes it.

    ablate train model=module model.generator=docs.own_networks.Generator \
        model.discriminator=docs.own_networks.Discriminator trick=[label_smooth,r1]

G maps latents [B, Z] to images [B, C, H, W] in [-1, 1]; D maps images to logits [B] or [B, 1].
Tricks that edit layers (norms, first values, ...) need a network of ours; all others work here.
"""

from torch import Tensor, nn


class Generator(nn.Module):
    """Latents to 8x8 grey images."""

    def __init__(self, latent: int = 100, width: int = 64) -> None:
        super().__init__()
        self.stem = nn.Linear(latent, width * 16)
        self.out = nn.ConvTranspose2d(width, 1, 4, 2, 1)

    def forward(self, z: Tensor) -> Tensor:
        """Return [B, 1, 8, 8]."""
        return self.out(self.stem(z).relu().unflatten(1, (-1, 4, 4))).tanh()


class Discriminator(nn.Module):
    """8x8 grey images to one logit each."""

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, width, 4, 2, 1), nn.SiLU(), nn.Flatten())
        self.head = nn.Linear(width * 16, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return [B]."""
        return self.head(self.body(x)).squeeze(1)
