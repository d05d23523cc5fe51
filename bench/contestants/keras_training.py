"""Contestant: the posts' recipe, Keras on TensorFlow with a GradientTape in the training step.

Options: ``jit``, whether XLA compiles the step; ``data``, "gather" for a tf.data pipeline that picks rows of one
array, "arrays" for float32 arrays handed to `fit`; ``precision``, "float32" or "bf16" (Keras' mixed precision).
"""

import importlib
import os
from typing import Any

import numpy as np

from contestants.turn import (
    ADAM_EPSILON,
    FILTERS,
    KL_WEIGHT,
    LEARNING_RATE,
    NOISE_LIMIT,
    Z_DIM,
    Outcome,
    Stopwatch,
    Task,
    answer,
)

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
# Neither is there where types are checked.
tf: Any = importlib.import_module("tensorflow")
keras: Any = importlib.import_module("keras")
SLOPE = 0.3


def encoder(task: Task, size: int) -> Any:  # noqa: ANN401
    """Return a functional model: images to mu, and for a VAE logvar."""
    layers = keras.layers
    images = x = layers.Input((size, size, 3))
    for n_filters in FILTERS:
        x = _after(task, layers.Conv2D(n_filters, 3, strides=2, padding="same")(x))
    x = layers.Flatten()(x)
    heads = [layers.Dense(Z_DIM, dtype="float32")(x) for _ in range(2 if task.is_variational else 1)]
    return keras.Model(images, heads)


def decoder(task: Task, size: int) -> Any:  # noqa: ANN401
    """Return a functional model: z-points to images in [0, 1]."""
    layers = keras.layers
    side = size // 2 ** len(FILTERS)
    z = layers.Input((Z_DIM,))
    x = layers.Dense(side * side * FILTERS[-1])(z)
    x = layers.Reshape((side, side, FILTERS[-1]))(x)
    for n_filters in FILTERS[-2::-1]:
        x = _after(task, layers.Conv2DTranspose(n_filters, 3, strides=2, padding="same")(x))
    logits = layers.Conv2DTranspose(3, 3, strides=2, padding="same")(x)
    return keras.Model(z, layers.Activation("sigmoid", dtype="float32")(logits))


def _after(task: Task, x: Any) -> Any:  # noqa: ANN401
    if task.is_variational:
        x = keras.layers.BatchNormalization()(x)
    return keras.layers.LeakyReLU(negative_slope=SLOPE)(x)


class Autoencoder(keras.Model):  # type: ignore[misc]
    """AE or VAE with a training step of its own."""

    def __init__(self, task: Task, size: int) -> None:
        super().__init__()
        self.is_variational = task.is_variational
        self.encoder, self.decoder = encoder(task, size), decoder(task, size)
        self.loss_tracker = keras.metrics.Mean(name="loss")

    @property
    def metrics(self) -> list[Any]:
        """Return what `fit` shows."""
        return [self.loss_tracker]

    def losses(self, images: Any) -> tuple[Any, Any]:  # noqa: ANN401
        """Return reconstruction loss and weighted KL term, in the posts' unit."""
        heads = self.encoder(images, training=True)
        z, penalty = (self.sample(*heads), self.penalty(*heads)) if self.is_variational else (_only(heads), 0.0)
        pictures = self.decoder(z, training=True)
        per_pixel = keras.losses.binary_crossentropy(images, pictures)
        return tf.reduce_mean(tf.reduce_sum(per_pixel, axis=(1, 2))), penalty

    def sample(self, mu: Any, logvar: Any) -> Any:  # noqa: ANN401
        """Return z-points."""
        noise = tf.clip_by_value(tf.random.normal(tf.shape(mu)), -NOISE_LIMIT, NOISE_LIMIT)
        return mu + tf.exp(0.5 * logvar) * noise

    def penalty(self, mu: Any, logvar: Any) -> Any:  # noqa: ANN401
        """Return the weighted KL term."""
        per_image = -0.5 * tf.reduce_sum(1 + logvar - tf.square(mu) - tf.exp(logvar), axis=1)
        return KL_WEIGHT * tf.reduce_mean(per_image)

    def train_step(self, images: Any) -> dict[str, Any]:  # noqa: ANN401
        """Train on one batch."""
        with tf.GradientTape() as tape:
            reconstruction, penalty = self.losses(images)
            total = reconstruction + penalty
        gradients = tape.gradient(total, self.trainable_weights)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_weights, strict=True))
        self.loss_tracker.update_state(total)
        return {"loss": self.loss_tracker.result()}


def _only(heads: Any) -> Any:  # noqa: ANN401
    return heads[0] if isinstance(heads, list) else heads


def train(task: Task) -> Outcome:
    """Train through `fit`."""
    tf.config.threading.set_intra_op_parallelism_threads(task.threads)
    tf.config.threading.set_inter_op_parallelism_threads(task.threads)
    if task.options["precision"] == "bf16":
        keras.mixed_precision.set_global_policy("mixed_bfloat16")
    keras.utils.set_random_seed(1)
    pixels = task.pixels()
    model = Autoencoder(task, pixels.shape[1])
    model.compile(optimizer=keras.optimizers.Adam(LEARNING_RATE, epsilon=ADAM_EPSILON), jit_compile=task.options["jit"])
    checked = tf.constant(pixels[: task.batch_size].astype(np.float32) / 255)
    first_loss = float(model.losses(checked)[0])
    watch = Stopwatch(task)

    class Ticks(keras.callbacks.Callback):  # type: ignore[misc]
        def on_train_batch_end(self, batch: int, logs: object = None) -> None:  # noqa: ARG002
            if watch.tick():
                model.stop_training = True

    _fit(model, pixels, task, Ticks())
    versions = {"keras": keras.__version__, "tensorflow": tf.__version__}
    return Outcome(watch.seconds(), first_loss, float(model.losses(checked)[0]), versions)


def _fit(model: Any, pixels: np.ndarray[Any, Any], task: Task, ticks: object) -> None:  # noqa: ANN401
    if task.options["data"] == "arrays":
        values = pixels.astype(np.float32) / 255
        model.fit(values, batch_size=task.batch_size, shuffle=True, epochs=1, verbose=0, callbacks=[ticks])
        return
    held = tf.constant(pixels)
    rows = tf.data.Dataset.range(len(pixels)).shuffle(len(pixels)).batch(task.batch_size, drop_remainder=True)
    batches = rows.map(lambda index: tf.cast(tf.gather(held, index), tf.float32) / 255, num_parallel_calls=1)
    model.fit(batches.prefetch(2), epochs=1, verbose=0, callbacks=[ticks])


if __name__ == "__main__":
    answer(train)
