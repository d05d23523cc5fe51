"""Contestant: pythae's trainer over an in-memory data set, with the very same encoder and decoder.

Options: ``channels_last``, the memory layout of the modules handed to it; ``workers``, its data loader's processes.
pythae sums its likelihood over the channels too: a beta of 3 times the posts' factor is the same objective times 3.
Its AE knows only squared errors; the cross-entropy takes its place here, so that nobody trains something easier.
"""

import importlib
import tempfile
from contextlib import suppress
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from contestants.networks import autoencoder, float_images, reconstruction_loss
from contestants.turn import ADAM_EPSILON, KL_WEIGHT, LEARNING_RATE, Z_DIM, Finished, Outcome, Stopwatch, Task, answer

# pythae has no type annotations, and is not there where types are checked.
models: Any = importlib.import_module("pythae.models")
architectures: Any = importlib.import_module("pythae.models.nn")
base: Any = importlib.import_module("pythae.models.base.base_utils")
trainers: Any = importlib.import_module("pythae.trainers")
callbacks: Any = importlib.import_module("pythae.trainers.training_callbacks")
datasets: Any = importlib.import_module("pythae.data.datasets")


class Encoder(architectures.BaseEncoder):  # type: ignore[misc]
    """zspace's encoder, as pythae wants it."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.latent_dim = Z_DIM

    def forward(self, images: Tensor) -> Any:  # noqa: ANN401
        """Return mu, and for a VAE logvar."""
        names = ("embedding", "log_covariance")
        return base.ModelOutput(**dict(zip(names, self.network(images), strict=False)))


class Decoder(architectures.BaseDecoder):  # type: ignore[misc]
    """zspace's decoder, as pythae wants it."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, z: Tensor) -> Any:  # noqa: ANN401
        """Return images in [0, 1]."""
        return base.ModelOutput(reconstruction=torch.sigmoid(self.network(z)))


class CrossEntropyAE(models.AE):  # type: ignore[misc]
    """pythae's AE with the loss of pythae's VAE."""

    def loss_function(self, recon_x: Tensor, x: Tensor) -> Tensor:
        """Return the binary cross-entropy, summed over all values, mean over images."""
        return functional.binary_cross_entropy(recon_x, x, reduction="none").flatten(1).sum(dim=-1).mean(dim=0)


def train(task: Task) -> Outcome:
    """Train through pythae's `BaseTrainer`, left as soon as the last timed step is done."""
    model = autoencoder(task)
    first_loss = reconstruction_loss(model, task)
    if task.options["channels_last"]:
        model.place_on(torch.device("cpu"))
    watch = Stopwatch(task)

    class Ticks(callbacks.TrainingCallback):  # type: ignore[misc]
        def on_train_step_end(self, training_config: object, **_: object) -> None:  # noqa: ARG002
            if watch.tick():
                raise Finished

    images = float_images(task)
    with tempfile.TemporaryDirectory() as folder, suppress(Finished):
        trainers.BaseTrainer(
            model=_pythae_model(task, Encoder(model.encoder), Decoder(model.decoder), tuple(images.shape[1:])),
            train_dataset=datasets.BaseDataset(images, torch.zeros(len(images))),
            training_config=trainers.BaseTrainerConfig(
                output_dir=folder,
                num_epochs=1,
                per_device_train_batch_size=task.batch_size,
                train_dataloader_num_workers=task.options["workers"],
                optimizer_cls="Adam",
                optimizer_params={"eps": ADAM_EPSILON},
                learning_rate=LEARNING_RATE,
                no_cuda=True,
            ),
            callbacks=[Ticks()],
        ).train()
    versions = {"pythae": importlib.import_module("importlib.metadata").version("pythae"), "torch": torch.__version__}
    return Outcome(watch.seconds(), first_loss, reconstruction_loss(model, task), versions)


def _pythae_model(task: Task, encoder: Encoder, decoder: Decoder, shape: tuple[int, ...]) -> Any:  # noqa: ANN401
    if not task.is_variational:
        return CrossEntropyAE(models.AEConfig(input_dim=shape, latent_dim=Z_DIM), encoder, decoder)
    n_channels = shape[0]
    settings = models.BetaVAEConfig(
        input_dim=shape, latent_dim=Z_DIM, reconstruction_loss="bce", beta=n_channels * KL_WEIGHT
    )
    return models.BetaVAE(settings, encoder, decoder)


if __name__ == "__main__":
    answer(train)
