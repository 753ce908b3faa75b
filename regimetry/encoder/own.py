"""The user's own Keras model in the encoder's place."""

from __future__ import annotations

from typing import Any

import keras

from regimetry.errors import ConfigError
from regimetry.runtime.session import first_line


def own_encoder(model: keras.Model, window_size: int, num_features: int) -> keras.Model:
    """Check a model and return a copy with the same weights, which training may change.

    Parameters
    ----------
    model : keras.Model
        Functional or Sequential: one input (batch, W, F), one output (batch, D), both float32.
        Unchanged.
    window_size, num_features : int
        W and F of the preprocessed windows.

    Returns
    -------
    keras.Model
        Functional.

    Raises
    ------
    ConfigError
        The model has another form, or a layer that cannot be made again from its configuration.
    """
    shape = f"({window_size}, {num_features})"
    inputs, outputs = getattr(model, "inputs", None), getattr(model, "outputs", None)
    if not inputs or not outputs:
        raise _refusal(
            model,
            f"a {type(model).__name__} without a fixed input",
            "a functional or Sequential model",
            f"Start it with keras.Input({shape}).",
        )
    if _forms(inputs) != f"float32 (None, {window_size}, {num_features})":
        raise _refusal(
            model,
            f"which reads {_forms(inputs)}",
            f"one input float32 (None, {window_size}, {num_features}), which the windows are",
            f"Build it with keras.Input({shape}), or change window_size or the columns.",
        )
    if len(outputs) != 1 or len(outputs[0].shape) != 2 or outputs[0].shape[1] is None:
        raise _refusal(
            model,
            f"which gives {_forms(outputs)}",
            "one output float32 (None, D), an embedding of each window",
            "End it with one pooling over time.",
        )
    if outputs[0].dtype != "float32":
        raise _refusal(
            model,
            f"which gives {_forms(outputs)}",
            "an output of float32",
            "Cast the output, or build the model under the policy 'float32'.",
        )
    try:
        copy = keras.models.clone_model(model)
    except (TypeError, ValueError, NotImplementedError) as error:
        raise _refusal(
            model,
            f"which cannot be copied ({first_line(error)})",
            "layers that their get_config describes",
            "Make a class of a Lambda, and give a layer with arguments a get_config.",
        ) from error
    copy.set_weights(model.get_weights())
    # Of a Sequential, or of a model whose one input stands in a list or dict, too.
    return keras.Model(copy.inputs[0], copy.outputs[0], name=copy.name)


def describe_own(model: keras.Model) -> dict[str, Any]:
    """Describe an encoder without a configuration for the model file, as plain data."""
    return {
        "name": model.name,
        "layers": [f"{type(layer).__name__} {layer.name}" for layer in model.layers],
        "input_shape": list(model.inputs[0].shape[1:]),
        "output_dim": model.outputs[0].shape[1],
        "parameters": model.count_params(),
    }


def _refusal(model: keras.Model, found: str, expected: str, remedy: str) -> ConfigError:
    return ConfigError(f"encoder is {model.name!r}, {found}; expected {expected}. {remedy}")


def _forms(tensors: list[Any]) -> str:
    return " and ".join(f"{tensor.dtype} {tuple(tensor.shape)}" for tensor in tensors)
