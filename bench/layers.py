"""Is there a faster exact form of the decoder's layers? Run by hand as `python bench/layers.py`.

PyTorch adds up the gradient of a transposed convolution's bias beside that of its kernel. `zspace` lets it find the
gradient of the kernel alone and sums the other apart ("bias apart").

A transposed convolution of stride 2 with a 3x3 window writes each pixel of its output from at most 2x2 pixels of its
input: which taps of the window take part depends on whether row and column are even or odd. The same map is therefore
a plain 2x2 convolution to four times the channels, one for each of the four cases, whose outputs a pixel shuffle
interleaves; taps that take no part are zero. All forms are measured in turns, forward and backward, for the four
layers of the posts' decoder, after a check that they agree to rounding.
"""

import argparse
import os
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

import torch
from torch import Tensor
from torch.nn import functional

from zspace.machine import freed_memory_kept
from zspace.networks.convolutions import with_bias

BATCH_SIZE = 128


@dataclass(frozen=True)
class Layer:
    """A transposed convolution of the posts' decoder, for images of 96x96 pixels."""

    n_in: int
    n_out: int
    side: int
    """Height and width of the input, in pixels."""


LAYERS = (Layer(256, 128, 6), Layer(128, 64, 12), Layer(64, 32, 24), Layer(32, 3, 48))

Form = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Input (n, n_in, side, side), kernel (n_in, n_out, 3, 3) and bias (n_out) to output (n, n_out, 2 side, 2 side)."""


def transposed(x: Tensor, kernel: Tensor, bias: Tensor) -> Tensor:
    """Return the layer as it is."""
    return functional.conv_transpose2d(x, kernel, bias, stride=2, padding=1, output_padding=1)


# Along one axis, output pixel 2 m is tap 1 of input m; output pixel 2 m + 1 is tap 2 of input m plus tap 0 of input
# m + 1. Index 3 stands for a tap that is zero. Rows: even and odd output; columns: input m and m + 1.
_TAPS = torch.tensor([[1, 3], [2, 0]])


def four_kernels(kernel: Tensor) -> Tensor:
    """Return the kernel (4 n_out, n_in, 2, 2) of the plain convolution, channels in the order of a pixel shuffle."""
    n_in, n_out = kernel.shape[:2]
    with_zero = functional.pad(kernel, (0, 1, 0, 1))
    picked = with_zero[:, :, _TAPS[:, None, :, None], _TAPS[None, :, None, :]]  # n_in, n_out, 2, 2, 2, 2
    return picked.permute(1, 2, 3, 0, 4, 5).reshape(4 * n_out, n_in, 2, 2)


def shuffled(x: Tensor, kernel: Tensor, bias: Tensor) -> Tensor:
    """Return the same map as a plain convolution and a pixel shuffle; below and right of the input lie zeros."""
    plain = functional.conv2d(
        functional.pad(x, (0, 1, 0, 1)),
        four_kernels(kernel).contiguous(memory_format=torch.channels_last),
        bias.repeat_interleave(4),
    )
    return functional.pixel_shuffle(plain, 2)


def cropped(x: Tensor, kernel: Tensor, bias: Tensor) -> Tensor:
    """Return the same map with padding on all sides, and what it adds above and left cut off afterwards."""
    kernels = four_kernels(kernel).contiguous(memory_format=torch.channels_last)
    plain = functional.conv2d(x, kernels, bias.repeat_interleave(4), padding=1)
    return functional.pixel_shuffle(plain[:, :, 1:, 1:], 2)


def bias_apart(x: Tensor, kernel: Tensor, bias: Tensor) -> Tensor:
    """Return the layer as zspace has it."""
    return with_bias(transposed(x, kernel, bias.detach()), bias)


FORMS: dict[str, Form] = {
    "bias apart": bias_apart,
    "pad, convolve, shuffle": shuffled,
    "convolve, crop, shuffle": cropped,
}


def inputs(layer: Layer, n_images: int, dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor]:
    """Return random input, kernel and bias of a layer, channels last, all with gradients."""
    generator = torch.Generator().manual_seed(layer.n_in)
    x = torch.randn(n_images, layer.n_in, layer.side, layer.side, generator=generator, dtype=dtype)
    kernel = torch.randn(layer.n_in, layer.n_out, 3, 3, generator=generator, dtype=dtype) * (layer.n_in * 3) ** -0.5
    bias = torch.randn(layer.n_out, generator=generator, dtype=dtype)
    laid_out = (x.contiguous(memory_format=torch.channels_last), kernel.contiguous(memory_format=torch.channels_last))
    return laid_out[0].requires_grad_(), laid_out[1].requires_grad_(), bias.requires_grad_()


def passes(form: Form, tensors: tuple[Tensor, Tensor, Tensor], towards: Tensor, precision: str) -> tuple[Tensor, ...]:
    """Return output and the gradients of input, kernel and bias."""
    with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
        output = form(*tensors)
    return output, *torch.autograd.grad(output, tensors, towards.to(output.dtype))


def largest_difference(form: Form, layer: Layer) -> float:
    """Return the largest difference from the layer as it is, output and gradients, in float64, to the largest value."""
    tensors = inputs(layer, 2, torch.float64)
    towards = torch.randn(2, layer.n_out, 2 * layer.side, 2 * layer.side, dtype=torch.float64)
    pairs = zip(passes(transposed, tensors, towards, "float64"), passes(form, tensors, towards, "float64"), strict=True)
    return max(float((a - b).detach().abs().max() / a.detach().abs().max()) for a, b in pairs)


def seconds_in_turns(forms: dict[str, Form], layer: Layer, precision: str, n_rounds: int) -> dict[str, float]:
    """Return the time of one forward and backward pass of each form, measured in turns.

    It is the fastest of the rounds: what else runs on the machine only ever adds, and to threads that wait for each
    other it adds a lot.
    """
    with freed_memory_kept():  # as zspace trains
        return _seconds(forms, layer, precision, n_rounds)


def _seconds(forms: dict[str, Form], layer: Layer, precision: str, n_rounds: int) -> dict[str, float]:
    tensors = inputs(layer, BATCH_SIZE, torch.float32)
    # Between layers the network's activations travel in the precision of the convolutions.
    x = tensors[0].detach().to(torch.bfloat16 if precision == "bf16" else torch.float32).requires_grad_()
    towards = torch.randn(BATCH_SIZE, layer.n_out, 2 * layer.side, 2 * layer.side)
    towards = towards.contiguous(memory_format=torch.channels_last).to(x.dtype)
    times: dict[str, list[float]] = {name: [] for name in forms}
    for round_number in range(n_rounds + 1):
        for name, form in forms.items():
            start = perf_counter()
            passes(form, (x, *tensors[1:]), towards, precision)
            if round_number:  # the first round warms up
                times[name].append(perf_counter() - start)
    return {name: min(values) for name, values in times.items()}


def main() -> None:
    """Print a table for each precision: time of the layer as it is, and how many times faster the other forms are."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10, help="turns of each form, after one to warm up")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    print(f"PyTorch {torch.__version__}, {asked.threads} threads, batch {BATCH_SIZE}, forward and backward")
    for name, form in FORMS.items():
        difference = max(largest_difference(form, layer) for layer in LAYERS)
        print(f"{name}: largest relative difference, output and gradients, in float64: {difference:.1e}")
        if difference > 1e-12:
            raise SystemExit(f"{name} is not the same map")
    for precision in ("float32", "bf16"):
        print(f"\n{precision}: layer, time as it is; times faster: {', '.join(FORMS)}")
        totals = dict.fromkeys(("as it is", *FORMS), 0.0)
        for layer in LAYERS:
            seconds = seconds_in_turns({"as it is": transposed, **FORMS}, layer, precision, asked.rounds)
            totals = {name: totals[name] + seconds[name] for name in totals}
            print(_line(f"{layer.n_in:3} -> {layer.n_out:3} from {layer.side} x {layer.side}", seconds))
        print(_line("the decoder's four", totals))


def _line(label: str, seconds: dict[str, float]) -> str:
    as_it_is = seconds["as it is"]
    ratios = "  ".join(f"{as_it_is / seconds[name]:5.2f}" for name in FORMS)
    return f"{label:22} {1e3 * as_it_is:8.1f} ms   {ratios}"


if __name__ == "__main__":
    main()
