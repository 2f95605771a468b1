"""A network of a user's own, in a module on Python's path."""

import keras


def build(recipe, input_shape, output_shape):
    """Returns an LSTM followed by an attention over time."""
    inputs = keras.Input(input_shape)
    x = keras.layers.LSTM(recipe.units, return_sequences=True)(inputs)
    x = keras.layers.Attention()([x, x], use_causal_mask=True)
    if len(output_shape) == 1:
        x = keras.layers.GlobalAveragePooling1D()(x)
    return keras.Model(inputs, keras.layers.Dense(output_shape[-1], activation=recipe.output)(x))
