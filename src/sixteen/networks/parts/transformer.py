"""What vision transformers share: layers with their policy, and images cut into patches."""

from typing import Any

from sixteen.precision.entry import Precision

EPSILON = (
    1e-6  # of layer normalisation; below float16's normal numbers, but Keras adds it in float32
)


class Transformer:
    """Makes layers in the types of a precision; `l2` is the factor on squared kernels."""

    def __init__(self, precision: Precision, l2: float) -> None:
        # Here, not above: a plan asks families for their cost, and must not wait for TensorFlow.
        import keras

        from sixteen.precision.policies import policies

        self.weights, _ = policies(precision)
        self.regular = {"kernel_regularizer": keras.regularizers.L2(l2) if l2 else None}

    def cut(self, images: Any, patch: int) -> Any:
        """Pixels of each patch, [batch, tokens, pixels], of images whose sides are multiples of `patch`."""
        import keras

        height, width, channels = images.shape[1:]
        rows, columns = height // patch, width // patch
        split = (rows, patch, columns, patch, channels)
        x = keras.layers.Reshape(split, dtype=self.weights, name="split")(images)
        x = keras.layers.Permute((1, 3, 2, 4, 5), dtype=self.weights, name="gather")(x)
        flat = (rows * columns, patch * patch * channels)
        return keras.layers.Reshape(flat, dtype=self.weights, name="patches")(x)

    def attention(self, x: Any, heads: int, size: int, name: str) -> Any:
        """Attention of all tokens to all, each head with keys of `size`."""
        import keras

        layer = keras.layers.MultiHeadAttention(
            heads, size, dtype=self.weights, name=f"{name}_attention", **self.regular
        )
        # With the shares, since Keras' fused attention would compute their softmax in float32.
        y, _ = layer(x, x, return_attention_scores=True)
        return y

    def dense(self, x: Any, units: int, name: str, activation: str | None = None) -> Any:
        """A dense layer on each token, or on what has become of all of them."""
        import keras

        return keras.layers.Dense(
            units, activation=activation, dtype=self.weights, name=name, **self.regular
        )(x)

    def norm(self, x: Any, name: str) -> Any:
        """Layer normalisation."""
        import keras

        return keras.layers.LayerNormalization(epsilon=EPSILON, dtype=self.weights, name=name)(x)

    def add(self, x: Any, y: Any, name: str) -> Any:
        """A residual sum."""
        import keras

        return keras.layers.Add(dtype=self.weights, name=name)([x, y])
