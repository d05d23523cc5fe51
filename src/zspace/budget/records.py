"""What a model costs: frozen records, a row for every layer."""

from __future__ import annotations

from dataclasses import dataclass

ASSUMPTIONS = (
    "The step is the training loop's: the last step's gradients are still there during the forward pass.",
    "Adam keeps two moments and a step count of every trained parameter, in float32.",
    "Not counted: workspaces inside kernels (cuDNN, cuBLAS, oneDNN), the allocator's gaps, the images of the data set.",
)
"""What the predicted peak rests on."""


@dataclass(frozen=True)
class LayerBudget:
    """One layer, or one residual block, of a model; for memory at the batch size of the settings."""

    part: str
    """``"encoder"``, ``"sampling"``, ``"decoder"`` or ``"loss"``."""
    name: str
    """Its place in the model, such as ``"encoder.features.0"``."""
    layer: str
    """What it is, such as ``"conv 3x3 /2"``."""
    is_dense: bool
    output_shape: tuple[int, ...]
    """Without the batch dimension."""
    parameters: int
    """Weights, with BatchNorm's running statistics, as Keras counts."""
    weights_bytes: int
    gradients_bytes: int
    optimizer_bytes: int
    activations_bytes: int
    """What autograd keeps for the backward pass; a tensor that several layers keep counts at the first of them.

    Under bf16 this holds the bf16 copies of the weights as well.
    """

    @property
    def total_bytes(self) -> int:
        """Sum of the four."""
        return self.weights_bytes + self.gradients_bytes + self.optimizer_bytes + self.activations_bytes


@dataclass(frozen=True)
class Variant:
    """A model that differs in one thing, and what that would save."""

    name: str
    filters: tuple[int, ...]
    dense: tuple[int, ...]
    encoder_parameters: int
    decoder_parameters: int
    flatten_factor: float
    """Values after the last convolution, as a multiple of the model's own."""
    peak_bytes: int
    parameters_saved: int
    """Negative for a variant that costs more."""
    peak_bytes_saved: int
    """Negative for a variant that costs more."""


@dataclass(frozen=True)
class TimeBudget:
    """How long training takes at a rate that was measured."""

    images_per_second: float
    flops_per_second: float
    """What the rate amounts to."""
    epoch_seconds: float | None
    """None when the number of images was not given."""
    training_seconds: float | None
    """All epochs of the settings; None when the number of images was not given."""


@dataclass(frozen=True)
class ModelBudget:
    """What one model costs."""

    kind: str
    """``"ae"`` or ``"vae"``."""
    image_size: int
    batch_size: int
    precision: str
    encoder_parameters: int
    decoder_parameters: int
    flatten_width: int
    """Values after the last convolution of the encoder."""
    weights_bytes: int
    gradients_bytes: int
    optimizer_bytes: int
    activations_bytes: int
    transient_bytes: int
    """What else is alive at the moment of the peak: batch, noise and intermediate results on their way."""
    peak_bytes: int
    """Most bytes alive at one moment of a training step: the sum of the five."""
    flops_per_image: int
    """Floating-point operations of forward and backward pass; a multiplication with an addition counts as two."""
    layers: tuple[LayerBudget, ...]
    variants: tuple[Variant, ...] = ()
    time: TimeBudget | None = None
    """None where no measured rate was given: a rate is never guessed."""
    assumptions: tuple[str, ...] = ASSUMPTIONS
