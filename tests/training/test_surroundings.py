"""What a shell exports changes no byte of a run, and what a GPU's user has to set goes on working."""

import importlib.util
import logging
import os

import pytest
from small_runs import VIT

from sixteen.training import surroundings

OURS = {"XLA_FLAGS": "--xla_ours=true", "TF_OURS": "1"}
CHANGING = {
    "XLA_FLAGS": "--xla_cpu_enable_fast_math=true --xla_cpu_max_isa=SSE4_2",
    "TF_XLA_FLAGS": "--tf_xla_auto_jit=2",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "NVIDIA_TF32_OVERRIDE": "1",
    "JAX_ENABLE_X64": "1",
    "JAX_DEFAULT_MATMUL_PRECISION": "bfloat16",
    "ONEDNN_DEFAULT_FPMATH_MODE": "BF16",
    "CUBLAS_WORKSPACE_CONFIG": ":16:8",
    "TF_DISABLE_MKL": "1",
    "TF_CUDNN_WORKSPACE_LIMIT_IN_MB": "1",
}
KEPT = {
    "XLA_PYTHON_CLIENT_MEM_FRACTION": "0.4",
    "XLA_PYTHON_CLIENT_PREALLOCATE": "true",
    "TF_GPU_ALLOCATOR": "cuda_malloc_async",
    "TF_GPU_HOST_MEM_LIMIT_IN_MB": "512",
    "TF_CPP_MIN_LOG_LEVEL": "0",
    "JAX_PLATFORMS": "cpu",
    "JAX_LOG_COMPILES": "1",
    "JAX_DUMP_IR_TO": "/tmp/ir",
    "CUDNN_LOGLEVEL_DBG": "2",
    "ONEDNN_VERBOSE": "1",
    "TF_VAR_password": "of Terraform",
    "CUDA_VISIBLE_DEVICES": "0",
    "NVIDIA_VISIBLE_DEVICES": "all",
}


@pytest.fixture
def settled(monkeypatch, caplog):
    """A function that settles an environment; returns what a backend sees, and what the log says."""

    def settled(**environment):
        with monkeypatch.context() as patch:
            patch.setattr(os, "environ", dict(environment))
            with caplog.at_level(logging.INFO, "sixteen"):
                surroundings.settle(OURS)
            return os.environ, [record.getMessage() for record in caplog.records]

    return settled


def test_what_changes_numbers_is_taken_away_and_named_in_one_line(settled):
    left, [line] = settled(**CHANGING)
    assert left == OURS
    assert all(name in line for name in CHANGING)
    assert "XLA_FLAGS --xla_cpu_enable_fast_math=true" in line


def test_memory_devices_logs_and_dumps_stay_without_a_word(settled):
    dumps = "--xla_dump_to=/tmp/x --xla_dump_hlo_as_text --xla_gpu_cuda_data_dir=/cuda"
    left, lines = settled(**KEPT, XLA_FLAGS=dumps)
    assert left == KEPT | OURS | {"XLA_FLAGS": f"{dumps} --xla_ours=true"}
    assert lines == []


def test_no_value_reaches_the_log(settled):
    """Another program may keep a secret in a variable whose name begins alike."""
    _, [line] = settled(TF_HTTP_PASSWORD="secret")
    assert "TF_HTTP_PASSWORD" in line and "secret" not in line


def test_a_process_that_inherits_what_is_ours_hears_nothing_of_it(settled):
    left, lines = settled(**OURS, TF_XLA_FLAGS="--tf_xla_persistent_cache_directory=/cache")
    assert left == OURS | {"TF_XLA_FLAGS": "--tf_xla_persistent_cache_directory=/cache"}
    assert lines == []


def test_a_file_of_flags_is_none_of_ours(settled):
    """XLA reads flags from it and then no others, ours among them."""
    left, [line] = settled(XLA_FLAGS="/home/somebody/flags")
    assert left == OURS
    assert "XLA_FLAGS /home/somebody/flags" in line


@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_a_training_computes_the_same_whatever_the_shell_exports(runner, backend, monkeypatch):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} isn't installed")
    of = {"network": VIT, "until": 1, "backend": backend}
    plain = runner.run(f"plain-{backend}", **of)
    for name, value in CHANGING.items():
        monkeypatch.setenv(name, value)
    other = runner.run(f"exported-{backend}", **of)
    assert other.deterministic() == plain.deterministic()
    assert "not heeded" in other.said
