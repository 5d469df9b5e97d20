"""What the studies at the papers' scale run, said a second time from the papers and held against params.yaml."""

from pathlib import Path

import pytest

from sixteen.study.load import load
from sixteen.training.recipe import rates

PROJECT = load(Path(__file__).parents[2])
FIVE = (0, 1, 2, 3, 4)
RESNETS = {"resnet32": 32, "resnet56": 56, "resnet110": 110, "resnet156": 156}
NETWORKS = {
    "continuous16": [*RESNETS],
    "continuous16-time": ["resnet156"],
    "standalone16": [
        *("alexnet", "vgg16", "vgg19", "resnet32", "resnet56", "resnet110"),
        *("densenet121", "densenet169", "xception", "mobilenetv2", "vit8", "vit12"),
    ],
    "mixed": ["alexnet", "resnet56"],
    "switch": ["resnet32", "resnet56"],
    "variability": ["resnet56"],
}
# A precision in short: format, "master" with float32 master weights, format of batch norm and of the loss, scale of the
# loss.
PLAIN = "float32, bn float32, loss float32"
PURE = "float16, bn float32, loss float16"
LOSS32 = "float16, bn float32, loss float32"
MASTER = "float16 master, bn float32, loss float32"
DYNAMIC = " from 32768, twice after 2000"
# The arms of a study: their phases as "until epoch: precision".
ARMS = {
    "continuous16": {
        "float32": [f"50: {PLAIN}", f"100: {PLAIN}"],
        "float16": [f"50: {PLAIN}", "cast to float16", f"100: {PURE}"],
    },
    "standalone16": {
        "float32": [f"100: {PLAIN}"],
        "float16": [f"100: {PURE}"],
        "mixed": [f"100: {MASTER}{DYNAMIC}"],
        "cast": [f"100: {PLAIN}", "cast to float16", f"101: {PURE}"],
    },
    "mixed": {
        "float32": [f"100: {PLAIN}"],
        "mixed-static8": [f"100: {MASTER} times 8"],
        "mixed-static1024": [f"100: {MASTER} times 1024"],
        "mixed-scaled": [f"100: {MASTER}{DYNAMIC}"],
        "mixed-unscaled": [f"100: {MASTER}"],
        "float16-scaled": [f"100: {LOSS32}{DYNAMIC}"],
        "float16-unscaled": [f"100: {LOSS32}"],
    },
    "switch": {
        "never": [f"100: {PLAIN}"],
        "restarted-half-way": [f"50: {PLAIN}", f"100: {PLAIN}"],
        "from-the-start": [f"100: {PURE}"],
        **{
            name: [f"{epoch}: {PLAIN}", "cast to float16", f"100: {PURE}"]
            for name, epoch in {"after-5": 5, "after-10": 10, "after-25": 25, "half-way": 50, "after-75": 75}.items()
        },
    },
}  # fmt: skip


def _precision(name: str) -> str:
    entry = PROJECT.precision(name)
    master = " master" if entry.master_weights else ""
    text = f"{entry.compute}{master}, bn {entry.batch_norm}, loss {entry.loss}"
    scale = entry.loss_scale
    if scale is None:
        return text
    if scale.kind == "static":
        return f"{text} times {scale.factor:g}"
    times = {2: "twice"}[scale.factor]
    return f"{text} from {scale.start:g}, {times} after {scale.growth_interval}"


@pytest.mark.parametrize("study", NETWORKS)
def test_a_study_runs_the_networks_of_its_paper_on_cifar10(study: str) -> None:
    entry = PROJECT.studies[study]
    assert list(entry.networks) == NETWORKS[study]
    assert entry.scale == "paper"
    assert tuple(entry.seeds) == ((0,) if study == "continuous16-time" else FIVE)
    dataset = PROJECT.datasets[entry.dataset]
    assert (dataset.kind, dataset.normalisation, dataset.bytes) == (
        "cifar10",
        "scalar",
        170_052_171,
    )
    assert dataset.sha256.startswith("c4a38c50a1bc5f3a") and dataset.sha256.endswith("29a59bca1dd")


@pytest.mark.parametrize(("study", "arm"), [(s, arm) for s, arms in ARMS.items() for arm in arms])
def test_an_arm_trains_in_the_precisions_that_its_name_says(study: str, arm: str) -> None:
    entry = PROJECT.studies[study]
    phases = []
    for phrase in PROJECT.phrases(entry, entry.networks[0], arm):
        if phrase.recipe is None:
            phases.append(f"cast to {PROJECT.precision(phrase.precision).storage}")
        else:
            phases.append(f"{phrase.until}: {_precision(phrase.precision)}")
    assert phases == ARMS[study][arm]


@pytest.mark.parametrize("study", ARMS)
def test_no_arm_is_left_out_here_and_the_reference_is_32_bit(study: str) -> None:
    assert set(PROJECT.studies[study].sentences) == set(ARMS[study])
    first = next(iter(PROJECT.studies[study].sentences))
    assert all("float16" not in phase for phase in ARMS[study][first])


@pytest.mark.parametrize(
    ("study", "batch"),
    [("continuous16", 128), ("standalone16", 256), ("mixed", 128), ("switch", 128)],
)
def test_every_network_trains_by_the_recipe_of_its_paper(study: str, batch: int) -> None:
    entry = PROJECT.studies[study]
    for network in entry.networks:
        for arm in entry.sentences:
            for phrase in PROJECT.phrases(entry, network, arm):
                if phrase.recipe is None:
                    continue
                recipe = PROJECT.recipe(phrase.recipe)
                assert (recipe.optimizer, recipe.learning_rate) == ("sgd", 0.01)
                assert (recipe.batch, recipe.augmentation) == (batch, "none")
                assert (recipe.clip_norm, recipe.averaging) == (None, None)
                schedule = recipe.schedule
                assert (schedule.kind, schedule.warmup, schedule.restarts) == ("constant", 0, False)
                alone = study == "standalone16"
                assert recipe.momentum == (0 if alone and network.startswith("vit") else 0.9)
                kernels = 1e-4 if not alone or network.startswith("resnet") else 0
                assert recipe.l2 == kernels, network


def test_the_networks_are_those_of_the_papers() -> None:
    networks = PROJECT.networks
    for name, depth in RESNETS.items():
        assert (networks[name].family, networks[name].depth, networks[name].width) == (
            "resnet",
            depth,
            16,
        )
    for name, depth in {"vgg16": 16, "vgg19": 19}.items():
        assert (networks[name].family, networks[name].depth, networks[name].width) == (
            "vgg",
            depth,
            1,
        )
    assert (networks["alexnet"].family, networks["alexnet"].width) == ("alexnet", 1)
    keras = {"densenet121": "DenseNet121", "densenet169": "DenseNet169", "xception": "Xception", "mobilenetv2": "MobileNetV2"}  # fmt: skip
    for name, application in keras.items():
        assert (networks[name].name, networks[name].width) == (application, 1)
        assert networks[name].blocks is None
    for name, blocks in {"vit8": 8, "vit12": 12}.items():
        vit = networks[name]
        assert (vit.blocks, vit.patch, vit.dimension, vit.heads, vit.mlp) == (blocks, 6, 64, 4, 512)
        assert (tuple(vit.head), vit.dropout, vit.head_dropout) == ((512, 512), 0.1, 0.5)


def test_levels_and_the_epsilon_of_adam_are_the_usual_ones() -> None:
    levels = PROJECT.statistics
    assert (levels.confidence, levels.alpha, levels.power) == (0.95, 0.05, 0.8)
    adam = PROJECT.recipe("adam")
    assert (adam.learning_rate, adam.beta_1, adam.beta_2, adam.epsilon) == (1e-3, 0.9, 0.999, 1e-4)


@pytest.mark.parametrize(
    ("demo", "whole"),
    [
        ("continuous16-demo", "continuous16"),
        ("standalone16-demo", "standalone16"),
        ("mixed-demo", "mixed"),
    ],
)
def test_a_demo_has_the_arms_of_its_study_in_short(demo: str, whole: str) -> None:
    """The same precisions in the same order, but for the scale that grows within a short run."""
    short, long = (PROJECT.studies[name] for name in (demo, whole))
    assert list(short.sentences) == list(long.sentences)
    assert (short.claims, short.papers) == (long.claims, long.papers)
    assert short.scale == "toy"
    for arm in short.sentences:
        told = [
            [(p.step, _precision(p.precision).partition(" from ")[0])
             for p in PROJECT.phrases(entry, entry.networks[0], arm)]
            for entry in (short, long)
        ]  # fmt: skip
        assert told[0] == told[1]


# What arXiv:2403.02243 ran on CIFAR: 64,000 steps of 128 images; names of its schedules, profile and form.
SCHEDULES = {
    **{"cr": ("cosine", "repeated"), "ct": ("cosine", "triangular-v")},
    **{"lr": ("linear", "repeated"), "lt": ("linear", "triangular-v")},
    **{"er": ("exponential", "repeated"), "rr": ("rex", "repeated")},
    **{"eth": ("exponential", "triangular-h"), "etv": ("exponential", "triangular-v")},
    **{"rth": ("rex", "triangular-h"), "rtv": ("rex", "triangular-v")},
}
RANGES = {
    "schedules-images": (3, 8, 8),
    "schedules-images-hundred": (3, 8, 8),
    "schedules-images-six": (3, 6, 6),
}


@pytest.mark.parametrize("study", [*RANGES, "schedules-images-demo"])
def test_a_study_of_schedules_has_the_ten_of_the_paper_and_what_they_are_compared_with(
    study: str,
) -> None:
    entry = PROJECT.studies[study]
    assert list(entry.sentences) == ["static", "static-low", "float32", *entry.axes["schedule"]]
    low, high, gradients = RANGES.get(study, (3, 8, 8))
    for arm in entry.sentences:
        (phrase,) = PROJECT.phrases(entry, entry.networks[0], arm)
        precision = PROJECT.precision(phrase.precision)
        if arm == "float32":
            assert _precision(phrase.precision) == PLAIN
            continue
        most = low if arm == "static-low" else high
        assert (precision.low, precision.high, precision.gradients) == (low, most, gradients)
        assert precision.ranges == "moving"
        if arm in SCHEDULES:
            bits = precision.bits
            assert (bits.profile, bits.form) == SCHEDULES[arm]
            assert (bits.cycles, bits.start) == (8, 0)
        else:
            assert precision.bits.kind == "static"


@pytest.mark.parametrize("study", RANGES)
def test_schedules_on_cifar_train_as_the_paper_did(study: str) -> None:
    entry = PROJECT.studies[study]
    assert list(entry.networks) == ["resnet74v1", "resnet152v1"]
    assert tuple(entry.seeds) == FIVE
    for network, depth in zip(entry.networks, (74, 152), strict=True):
        built = PROJECT.networks[network]
        assert (built.family, built.depth, built.width) == ("resnet_v1", depth, 16)
    for arm in entry.sentences:
        (phrase,) = PROJECT.phrases(entry, entry.networks[0], arm)
        recipe = PROJECT.recipe(phrase.recipe)
        assert phrase.until * (50_000 // recipe.batch) == pytest.approx(64_000, rel=0.001)
        assert (recipe.optimizer, recipe.learning_rate, recipe.momentum) == ("sgd", 0.1, 0.9)
        assert (recipe.batch, recipe.augmentation) == (128, "crop-flip")
        # A weight decay of 1e-4, which adds that part of a weight to its gradient: the gradient of half that L2 penalty.
        assert 2 * recipe.l2 == 1e-4
        assert recipe.schedule.at == (phrase.until / 2, phrase.until * 3 / 4)
        assert recipe.schedule.factor == 0.1


def test_schedules_on_imagenet_train_as_the_paper_did() -> None:
    """ResNet-18 and -34, 4 to 8 bits, gradients 8, 90 epochs of batches of 256, 0.1 that falls after 30 and 60, decay 1e-4."""
    entry = PROJECT.studies["schedules-imagenet"]
    data = PROJECT.datasets[entry.dataset]
    assert (data.train, data.test, data.classes, data.side) == (1_281_167, 50_000, 1000, 224)
    networks = [PROJECT.networks[name] for name in entry.networks]
    assert [(built.family, built.depth, built.width) for built in networks] == [
        ("resnet_imagenet", 18, 64),
        ("resnet_imagenet", 34, 64),
    ]
    assert len(entry.sentences) == 3 + 10
    for arm in entry.sentences:
        (phrase,) = PROJECT.phrases(entry, entry.networks[0], arm)
        recipe, precision = PROJECT.recipe(phrase.recipe), PROJECT.precision(phrase.precision)
        assert (phrase.until, recipe.batch, recipe.label_smoothing) == (90, 256, 0)
        assert (recipe.learning_rate, recipe.momentum, 2 * recipe.l2) == (0.1, 0.9, 1e-4)
        assert (recipe.schedule.at, recipe.schedule.factor) == ((30, 60), 0.1)
        assert recipe.augmentation == "resized-crop-flip"
        if arm != "float32":
            most = 4 if arm == "static-low" else 8
            assert (precision.low, precision.high, precision.gradients) == (4, most, 8)


def test_sentence_pairs_are_fine_tuned_as_arxiv_2403_02243_ran_them() -> None:
    """XNLI in German, multilingual BERT, 2 epochs, batch 64, 1e-5 falling to 0, 5 to 8 bits in two cycles, gradients 8."""
    entry = PROJECT.studies["schedules-pairs"]
    data, network = PROJECT.datasets[entry.dataset], PROJECT.network(entry.networks[0])
    assert (data.kind, data.language, data.words, data.length) == ("xnli", "de", 119_547, 128)
    assert [part.bytes for part in data.archives.values()] == [466_098_360, 17_865_352, 995_526]
    assert (network.blocks, network.dimension, network.heads, network.mlp) == (12, 768, 12, 3072)
    assert network.dropout == 0.1 and "schedules-pairs" not in PROJECT.targets["all"]
    for arm in entry.sentences:
        [phrase] = PROJECT.phrases(entry, entry.networks[0], arm)
        recipe, precision = PROJECT.recipe(phrase.recipe), PROJECT.precision(phrase.precision)
        assert (phrase.until, recipe.batch, recipe.learning_rate) == (2, 64, 1e-5)
        assert (recipe.optimizer, recipe.clip_norm, recipe.l2) == ("adam", 1, 0)
        ends = [float(rates(recipe, 0, 1, 100, ())[0]), float(rates(recipe, 0, 2, 100, ())[-1])]
        assert ends == pytest.approx([1e-5, 1e-5 / 200], rel=1e-5)
        if arm != "float32":
            bits = (precision.low, precision.high, precision.gradients)
            assert bits == ((5, 5, 8) if arm == "static-low" else (5, 8, 8))
        if arm in entry.axes["schedule"]:
            assert precision.bits.cycles == 2
    assert len(entry.sentences) == 13
