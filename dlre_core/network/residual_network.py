"""A small residual network, for comparison with the paper's."""

from torch import Tensor, nn
from torch.nn import functional

WIDTHS = (16, 32, 64, 64)
GROUPS = 8


class ResidualNetwork(nn.Module):
    """A 3x3 convolution and four residual blocks, each of which halves the side; the mean of 64 maps; one logit.

    The input is ``(n, channels, 250, 250)`` float, colours / 255 - 0.5; the output ``(n,)`` holds logits. Groups of
    channels are normalised within each picture, so that an answer does not depend on the pictures beside it.

    References
    ----------
    He K, et al. Identity mappings in deep residual networks. ECCV 2016. doi:10.1007/978-3-319-46493-0_38
    Wu Y, He K. Group normalization. ECCV 2018. doi:10.1007/978-3-030-01261-8_1
    """

    def __init__(self, channels: int = 3) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, WIDTHS[0], kernel_size=3, stride=2, padding=1, bias=False)
        channels_before = (WIDTHS[0], *WIDTHS)
        self.blocks = nn.Sequential(
            *(_Block(before, after) for before, after in zip(channels_before, WIDTHS, strict=False))
        )
        self.normalised = nn.GroupNorm(GROUPS, WIDTHS[-1])
        self.output = nn.Linear(WIDTHS[-1], 1)

    def forward(self, images: Tensor) -> Tensor:
        """Logits ``(n,)`` of images ``(n, channels, 250, 250)``."""
        return self.logits(self.feature_maps(images))

    def feature_maps(self, images: Tensor) -> Tensor:
        """Maps ``(n, 64, 8, 8)`` of the last block."""
        return functional.relu(self.normalised(self.blocks(self.first(images))))

    def logits(self, maps: Tensor) -> Tensor:
        """Logits ``(n,)`` of the maps of the last block."""
        return self.output(maps.mean(dim=(2, 3))).squeeze(1)


class _Block(nn.Module):
    """Two normalised 3x3 convolutions, the first by steps of two, added to their input."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.normalised_1 = nn.GroupNorm(GROUPS, before)
        self.convolution_1 = nn.Conv2d(before, after, kernel_size=3, stride=2, padding=1, bias=False)
        self.normalised_2 = nn.GroupNorm(GROUPS, after)
        self.convolution_2 = nn.Conv2d(after, after, kernel_size=3, padding=1, bias=False)
        self.shortcut = nn.Conv2d(before, after, kernel_size=1, stride=2, bias=False)

    def forward(self, maps: Tensor) -> Tensor:
        active = functional.relu(self.normalised_1(maps))
        changed = self.convolution_1(active)
        changed = self.convolution_2(functional.relu(self.normalised_2(changed)))
        return changed + self.shortcut(active)
