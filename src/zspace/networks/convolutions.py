"""PyTorch's convolutions, with the gradient of the bias computed apart from that of the kernel."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn


class _Biased(torch.autograd.Function):
    """The output of a convolution that holds its bias already: what is left is the gradient of the bias."""

    @staticmethod
    def forward(context: Any, output: Tensor, bias: Tensor) -> Tensor:  # noqa: ANN401 - PyTorch does not name its type
        context.mark_dirty(output)  # the very tensor goes on, so that an activation may work in place
        context.bias_type = bias.dtype
        return output

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, Tensor]:  # noqa: ANN401
        (gradient,) = gradients
        return gradient, gradient.sum((0, 2, 3)).to(context.bias_type)


def with_bias(output: Tensor, bias: Tensor | None) -> Tensor:
    """Return the output of a convolution that holds its bias as a constant, with the gradient of the bias added.

    Parameters
    ----------
    output
        (n, n_out, height, width); the result is this very tensor.
    bias
        (n_out,), or None for none.
    """
    if bias is None or not bias.requires_grad:
        return output
    biased: Tensor = _Biased.apply(output, bias)  # type: ignore[no-untyped-call]
    return biased


class Convolution(nn.Conv2d):
    """A convolution whose bias has a gradient of its own.

    Cost
    ----
    On a CPU, PyTorch adds up the gradient of a bias beside that of the kernel, and many times slower than a plain sum
    does, most of all for transposed convolutions in bf16. ``bench/layers.py`` measures what the sum apart gains.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, n_out, height / stride, width / stride)."""
        return with_bias(self._conv_forward(x, self.weight, _constant(self.bias)), self.bias)


class GrowingConvolution(nn.ConvTranspose2d):
    """A transposed convolution that grows height and width by exactly the stride; its bias as in `Convolution`."""

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:  # noqa: ARG002 - of PyTorch
        """Return (n, n_out, height * stride, width * stride)."""
        padding = cast("tuple[int, ...]", self.padding)  # only other convolutions may name it by a word
        plain = nn.functional.conv_transpose2d(
            x, self.weight, _constant(self.bias), self.stride, padding, self.output_padding
        )
        return with_bias(plain, self.bias)


def _constant(bias: Tensor | None) -> Tensor | None:
    return None if bias is None else bias.detach()
