"""Which GAN training tricks help, which hurt, and which only help together."""

__version__ = "0.1.0"
