import pytest

from sixteen.training import backends


@pytest.fixture(scope="session", autouse=True)
def keras_started():
    backends.start("tensorflow", threads=1)
