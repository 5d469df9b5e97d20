"""Networks against forward passes in NumPy, written from what the papers say: the same logits from the same weights."""

import keras
import numpy as np
import pytest
from scipy.special import ndtr, softmax
from small_networks import build, network, variables

from sixteen.networks import application


def drawn(model, seed=0):
    """Weights by name in float64, after all of them, norms and biases as well, were drawn anew."""
    draw = np.random.default_rng(seed)
    for weight in model.weights:
        if weight.dtype == "float32":
            values = draw.normal(0, 0.3, weight.shape)
            weight.assign(values + 1 if "gamma" in weight.path else values)
            if "variance" in weight.path:
                weight.assign(draw.uniform(0.5, 2, weight.shape))
    return {name: values.astype(np.float64) for name, values in variables(model).items()}


def convolved(x, kernel, bias=0.0, stride=1):
    """Zeros around the images as TensorFlow puts them: as many outputs as inputs per stride, the odd one behind."""
    padding = [(0, 0)]
    for side, size in zip(x.shape[1:3], kernel.shape[:2], strict=True):
        total = max((-(-side // stride) - 1) * stride + size - side, 0)
        padding.append((total // 2, total - total // 2))
    padded = np.pad(x, [*padding, (0, 0)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, kernel.shape[:2], axis=(1, 2))
    return (
        np.einsum("nhwcij,ijcf->nhwf", windows[:, ::stride, ::stride], kernel, optimize=True) + bias
    )


def largest(x, size):
    """Max pooling with stride 2 and no padding."""
    windows = np.lib.stride_tricks.sliding_window_view(x, (size, size), axis=(1, 2))
    return windows[:, ::2, ::2].max((-1, -2))


def normalised(w, x, name, epsilon=1e-3):
    """By the averages of training."""
    mean, variance = w[f"{name}/moving_mean"], w[f"{name}/moving_variance"]
    return (x - mean) / np.sqrt(variance + epsilon) * w[f"{name}/gamma"] + w[f"{name}/beta"]


def relu(x):
    return np.maximum(x, 0)


def dense(w, x, name):
    return x @ w[f"{name}/kernel"] + w[f"{name}/bias"]


def resnet(w, x):
    """arXiv:1603.05027, figure 4 (e), with the shortcuts A of arXiv:1512.03385: two units a stage."""

    def active(x, name):
        return relu(normalised(w, x, f"{name}_norm"))

    x = convolved(x, w["stem/kernel"])
    for stage in (1, 2, 3):
        for unit in (1, 2):
            name, stride = f"stage{stage}_unit{unit}", 2 if stage > 1 and unit == 1 else 1
            y = convolved(active(x, f"{name}_1"), w[f"{name}_1_conv/kernel"], stride=stride)
            y = convolved(active(y, f"{name}_2"), w[f"{name}_2_conv/kernel"])
            if stride == 2:
                n, height, width, channels = x.shape
                x = x.reshape(n, height // 2, 2, width // 2, 2, channels).mean((2, 4))
                x = np.concatenate([x, np.zeros_like(x)], axis=-1)
            x = x + y
    return dense(w, active(x, "final").mean((1, 2)), "head")


def alexnet(w, x):
    x = x.repeat(4, 1).repeat(4, 2)
    for number, (stride, pool) in enumerate(((2, 2), (1, 3), (1, 0), (1, 0), (1, 3)), 1):
        x = relu(convolved(x, w[f"conv{number}/kernel"], w[f"conv{number}/bias"], stride))
        x = largest(x, pool) if pool else x
    x = x.reshape(len(x), -1)
    return dense(w, np.tanh(dense(w, np.tanh(dense(w, x, "dense1")), "dense2")), "head")


def vgg(w, x):
    x = x.repeat(4, 1).repeat(4, 2)
    for stage, count in enumerate((2, 2, 3, 3, 3), 1):
        for number in range(1, count + 1):
            name = f"stage{stage}_conv{number}"
            x = relu(convolved(x, w[f"{name}/kernel"], w[f"{name}/bias"]))
        x = largest(x, 2)
        x = normalised(w, x, f"stage{stage}_norm") if stage < 5 else x
    x = normalised(w, x.reshape(len(x), -1), "norm")
    return dense(w, relu(dense(w, relu(dense(w, x, "dense1")), "dense2")), "head")


def gelu(x):
    return x * ndtr(x)


def layer_norm(w, x, name):
    deviation = np.sqrt(x.var(-1, keepdims=True) + 1e-6)
    return (x - x.mean(-1, keepdims=True)) / deviation * w[f"{name}/gamma"] + w[f"{name}/beta"]


def attention(w, x, name, size):
    """arXiv:1706.03762, section 3.2, with keys of this size."""
    query, key, value = (
        np.einsum("ntd,dhk->nhtk", x, w[f"{name}/{role}/kernel"])
        + w[f"{name}/{role}/bias"][:, None]
        for role in ("query", "key", "value")
    )
    shares = softmax(query @ key.swapaxes(-1, -2) / np.sqrt(size), axis=-1)
    out = f"{name}/attention_output"
    return np.einsum("nhtk,hkd->ntd", shares @ value, w[f"{out}/kernel"]) + w[f"{out}/bias"]


def patches(x):
    """Of 2x2 pixels, row by row."""
    cut = [x[:, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2] for i in range(4) for j in range(4)]
    return np.stack([patch.reshape(len(x), -1) for patch in cut], axis=1)


def vit(w, x):
    """Normalisation after each sum."""
    x = dense(w, patches(x), "projection") + w["positions/embeddings"]
    for name in ("block1", "block2"):
        x = layer_norm(w, x + attention(w, x, f"{name}_attention", 6), f"{name}_norm1")
        y = dense(w, gelu(dense(w, x, f"{name}_dense1")), f"{name}_dense2")
        x = layer_norm(w, x + y, f"{name}_norm2")
    x = layer_norm(w, x, "norm").reshape(len(x), -1)
    return dense(w, gelu(dense(w, x, "head1")), "logits")


def plain_vit(w, x):
    """arXiv:2205.01580: normalisation before each part, fixed places, the mean of all tokens; keys of 8 / 2."""
    x = dense(w, patches(x), "projection")
    for place in range(16):
        row, column = divmod(place, 4)
        angles = np.array([column, column * 1e-4, row, row * 1e-4]).reshape(2, 2)
        x[:, place] += np.concatenate([f(a) for a in angles for f in (np.sin, np.cos)])
    for name in ("block1", "block2"):
        y = layer_norm(w, x, f"{name}_norm1")
        x = x + attention(w, y, f"{name}_attention", 4)
        y = layer_norm(w, x, f"{name}_norm2")
        x = x + dense(w, gelu(dense(w, y, f"{name}_dense1")), f"{name}_dense2")
    return dense(w, layer_norm(w, x, "norm").mean(1), "head")


def photographs(units, sizes):
    """arXiv:1512.03385, table 1: so many units a stage, of convolutions of these sizes, the stride in a 3x3 one."""

    def forward(w, x):
        def normed(x, name, stride=1):
            return normalised(
                w, convolved(x, w[f"{name}_conv/kernel"], 0, stride), f"{name}_norm", 1e-5
            )

        x = relu(normed(x, "stem", 2))
        # As many outputs as inputs per stride: the odd place is behind, as with convolutions.
        x = largest(np.pad(x, [(0, 0), (0, 1), (0, 1), (0, 0)], constant_values=-np.inf), 3)
        for stage, count in enumerate(units, 1):
            for unit in range(1, count + 1):
                name, y = f"stage{stage}_unit{unit}", x
                stride = 2 if stage > 1 and unit == 1 else 1
                for number, _ in enumerate(sizes, 1):
                    own = stride if number == sizes.index(3) + 1 else 1
                    y = normed(y, f"{name}_{number}", own)
                    y = relu(y) if number < len(sizes) else y
                if f"{name}_shortcut_conv/kernel" in w:
                    x = normed(x, f"{name}_shortcut", stride)
                x = relu(x + y)
        return dense(w, x.mean((1, 2)), "head")

    return forward


VIT = {"blocks": 2, "patch": 2, "dimension": 6, "heads": 3, "mlp": 10, "head": [12]}
PLAIN = {"blocks": 2, "patch": 2, "dimension": 8, "heads": 2, "mlp": 10}
NETWORKS = {
    "plain_vit": (network("plain_vit", **PLAIN), plain_vit),
    "resnet18": (
        network("resnet_imagenet", depth=18, width=3),
        photographs((2, 2, 2, 2), (3, 3)),
    ),
    "resnet50": (
        network("resnet_imagenet", depth=50, width=2),
        photographs((3, 4, 6, 3), (1, 3, 1)),
    ),
    "resnet": (network("resnet", depth=14, width=3), resnet),
    "alexnet": (network("alexnet", width=0.0625), alexnet),
    "vgg": (network("vgg", depth=16, width=0.03125), vgg),
    "vit": (network("vit", **VIT, dropout=0.5, head_dropout=0.5), vit),
}


@pytest.mark.parametrize(("network", "reference"), NETWORKS.values(), ids=NETWORKS)
def test_logits_are_those_of_an_independent_forward_pass(network, reference):
    model = build(network, l2=0.1)
    weights = drawn(model)
    images = np.random.default_rng(1).standard_normal((5, 8, 8, 1))
    expected = reference(weights, images)
    found = np.asarray(model(images.astype(np.float32), training=False))
    assert expected.shape == (5, 10) and expected.std(0).min() > 1e-3
    np.testing.assert_allclose(found, expected, rtol=2e-4, atol=2e-4 * np.abs(expected).max())


def test_a_network_of_keras_applications_gives_its_logits_there():
    entry = network("application", name="DenseNet121", width=1.0, blocks=[1, 2, 1, 1])
    model = build(entry, (32, 32, 3))
    drawn(model)
    original = application.skeleton(entry, (32, 32, 3), 10)
    original.set_weights(model.get_weights())
    images = np.random.default_rng(1).standard_normal((4, 32, 32, 3)).astype(np.float32)
    expected = np.asarray(original(images, training=False))
    assert expected.std(0).min() > 1e-3
    found = np.asarray(model(images, training=False))
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize("family", ["resnet", "vgg"])
def test_training_normalises_by_the_batch_and_moves_its_averages_by_a_hundredth(family):
    model = build(NETWORKS[family][0])
    norm = next(x for x in model.layers if isinstance(x, keras.layers.BatchNormalization))
    inside = keras.Model(model.input, [norm.input, norm.output])
    images = np.random.default_rng(1).standard_normal((16, 8, 8, 1)).astype(np.float32)
    x, y = (np.asarray(tensor, np.float64) for tensor in inside(images, training=True))
    mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
    np.testing.assert_allclose(y, (x - mean) / np.sqrt(variance + 1e-3), atol=1e-4)
    np.testing.assert_allclose(norm.moving_mean, 0.01 * mean, rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(norm.moving_variance, 0.99 + 0.01 * variance, rtol=1e-4)


def test_kernels_of_a_resnet_are_he_normal():
    model = build(network("resnet", depth=8, width=32))
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D):
            kernel = np.asarray(layer.kernel)
            expected = np.sqrt(2 / np.prod(kernel.shape[:-1]))
            # Of a few hundred numbers or more.
            assert kernel.std() == pytest.approx(expected, rel=0.15 if kernel.size < 1e3 else 0.05)
            assert abs(kernel.mean()) < 0.2 * expected
