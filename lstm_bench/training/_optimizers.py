"""Adam, RMSprop and SGD as pure functions that compute the same steps as Keras 3.

Each takes `(step, rate, momentum)` and returns the update function of that step, which takes
`(weights, slots, gradient)` and returns new weights and slots. Weights, gradient and each slot are
arrays of the same shape. What does not depend on them is computed once per step, not once per
array. `step` counts from 1. All other hyperparameters are the defaults of Keras.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

Update = Callable[[Any, Any, Any], tuple[Any, list[Any]]]


def adam(step: Any, rate: Any, momentum: Any) -> Update:
    """Adam (Kingma & Ba 2015, section 2, the efficient order of computation)."""
    beta_1, beta_2, epsilon = 0.9, 0.999, 1e-7
    power_1 = tf.pow(tf.constant(beta_1, tf.float32), step)
    power_2 = tf.pow(tf.constant(beta_2, tf.float32), step)
    alpha = rate * tf.sqrt(1 - power_2) / (1 - power_1)

    def update(weights: Any, slots: Any, gradient: Any) -> tuple[Any, list[Any]]:
        first = slots[0] + (gradient - slots[0]) * (1 - beta_1)
        second = slots[1] + (gradient * gradient - slots[1]) * (1 - beta_2)
        return weights - first * alpha / (tf.sqrt(second) + epsilon), [first, second]

    return update


def rmsprop(step: Any, rate: Any, momentum: Any) -> Update:
    """RMSprop (Tieleman & Hinton 2012), uncentred; epsilon under the root, as in Keras."""
    rho, epsilon = 0.9, 1e-7

    def update(weights: Any, slots: Any, gradient: Any) -> tuple[Any, list[Any]]:
        squares = rho * slots[0] + (1 - rho) * gradient * gradient
        return weights - rate * gradient / tf.sqrt(squares + epsilon), [squares]

    return update


def sgd(step: Any, rate: Any, momentum: Any) -> Update:
    """Stochastic gradient descent with classical momentum; 0 is plain gradient descent."""

    def update(weights: Any, slots: Any, gradient: Any) -> tuple[Any, list[Any]]:
        velocity = slots[0] * momentum - gradient * rate
        return weights + velocity, [velocity]

    return update


OPTIMIZERS: dict[str, tuple[Callable[[Any, Any, Any], Update], int]] = {
    "adam": (adam, 2),
    "rmsprop": (rmsprop, 1),
    "sgd": (sgd, 1),
}
"""Each optimizer, and the number of slots that it keeps for each weight."""


def decayed_rate(decay: str | None, rate: Any, step: Any, steps: Any) -> Any:
    """Returns the learning rate of training step `step`, from 0, if it falls to 0 over `steps`.

    The same as Keras's `PolynomialDecay` with `end_learning_rate=0` ("linear"), and as its
    `CosineDecay` ("cosine": Loshchilov & Hutter 2017, equation 5, without restarts).
    """
    if decay is None:
        return rate
    share = tf.minimum(tf.cast(step, tf.float32), steps) / steps
    if decay == "linear":
        return rate * (1 - share)
    return rate * (0.5 * (1 + tf.cos(tf.constant(math.pi, tf.float32) * share)))


def clip_factor(gradients: Sequence[Any], limit: Any) -> Any:
    """Returns the factor that scales `gradients` to a joint norm of at most `limit`.

    Pascanu et al. (2013), algorithm 1, as in Keras's `global_clipnorm`: NaN unless it is finite.
    """
    norm = tf.sqrt(tf.add_n([tf.reduce_sum(gradient * gradient) for gradient in gradients]))
    return limit * tf.minimum(1 / norm, 1 / limit) + (norm - norm)
