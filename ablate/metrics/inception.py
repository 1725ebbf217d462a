"""The Inception network of FID, as the one public TorchScript file that everybody compares with.

Legend: N samples, C H W image, F features, M classes.
"""

import hashlib
import warnings
from pathlib import Path

import torch
from torch import Tensor, nn

from ablate.errors import UserError

URL = (
    "https://nvlabs-fi-cdn.nvidia.com/stylegan2-ada-pytorch/pretrained/metrics/"
    "inception-2015-12-05.pt"
)
SHA256 = "f58cb9b6ec323ed63459aa4fb441fe750cfe39fafad6da5cb504a16f19e958f4"


def load(path: str | Path | None, cache: Path) -> tuple[nn.Module, str]:
    """The network and 16 hex digits of its file's sha256.

    Args:
        path: the file; None fetches it once into `cache`.
        cache: folder.

    Raises:
        UserError: no such file, another file, no connection.
    """
    file = _fetch(cache) if path is None else Path(path).expanduser()
    if not file.is_file():
        raise UserError(f"There is no Inception file {str(file)!r}; download {URL} to it first.")
    found = hashlib.sha256(file.read_bytes()).hexdigest()
    if found != SHA256:
        raise UserError(
            f"{str(file)!r} is not the Inception network (sha256 {found[:16]}, expected "
            f"{SHA256[:16]}); leave out metric.path to fetch it, or download {URL}."
        )
    return _script(file), found[:16]


def features(network: nn.Module, images: Tensor) -> tuple[Tensor, Tensor]:
    """Pool features [N, F] and class probabilities [N, M] of uint8 [N, C, H, W] in one pass.

    The probabilities leave out the bias of the last layer, as the original Inception score did
    (Salimans et al. 2016; the network's own `no_output_bias=True`).
    """
    colour = images.expand(-1, 3, -1, -1) if images.shape[1] == 1 else images
    pooled: Tensor = network(colour, return_features=True)
    return pooled, torch.softmax(pooled @ network.output.weight.T, 1)  # type: ignore[operator,union-attr]


def _script(file: Path) -> nn.Module:
    try:
        with warnings.catch_warnings():
            # TorchScript is deprecated, but it is what the public file is written in
            warnings.simplefilter("ignore", DeprecationWarning)
            network: nn.Module = torch.jit.load(str(file), map_location="cpu")
    except RuntimeError as error:
        raise UserError(
            f"{str(file)!r} cannot be read as TorchScript; leave out metric.path to fetch the "
            f"network, or download {URL}."
        ) from error
    return network.eval()


def _fetch(cache: Path) -> Path:
    import pooch

    try:
        return Path(pooch.retrieve(URL, f"sha256:{SHA256}", URL.rsplit("/", 1)[1], cache))
    except (OSError, ValueError) as error:  # no connection; another content
        raise UserError(
            f"The Inception network could not be fetched from {URL}; download it yourself and "
            "write metric.path=FILE."
        ) from error
