"""Fetch an archive once, in pieces if need be, and believe it only by its SHA-256.

What has come stays in `<name>.part`, so that the next attempt, or the next call, goes on from
there. A file that someone put in place by hand is as good as a fetched one.
"""

import os
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path

from tqdm import tqdm

from sixteen.datasets.archives.members import digest
from sixteen.errors import UserError
from sixteen.files import settle

CHUNK_BYTES = 1 << 18


def fetch(
    url: str,
    to: Path,
    sha256: str,
    bytes: int,
    *,
    attempts: int = 5,
    pause_seconds: float = 5,
    timeout_seconds: float = 30,
) -> None:
    """Have the file of `url`, of that digest and size in bytes, at the path `to`.

    UserError if it cannot be fetched in so many attempts, or if what came (or already was there)
    is another file, which is then kept beside it as `<name>.refused-<8 digits of its sha256>`.
    """
    part = to.with_name(to.name + ".part")
    if to.exists():
        _verify(to, to, sha256, bytes)
        return
    to.parent.mkdir(parents=True, exist_ok=True)
    failure = None
    for attempt in range(attempts):
        try:
            if attempt:
                time.sleep(pause_seconds)
            _go_on(url, part, bytes, timeout_seconds)
            break
        except (OSError, HTTPException) as error:
            failure = error
    else:
        raise UserError(
            f"expected {bytes} bytes from {url}, came {_size(part)} in {attempts} attempts "
            f"({failure}); try again later, or put the file by hand at {to} (sha256 {sha256})"
        ) from failure
    _verify(part, to, sha256, bytes)
    settle(part, to)


def _go_on(url: str, part: Path, expected: int, timeout_seconds: float) -> None:
    """Ask for what `part` lacks and append it, or start anew if the server cannot do ranges."""
    have = _size(part)
    if have >= expected:
        return
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    with urllib.request.urlopen(request, timeout=timeout_seconds) as response:
        if response.status != 206:
            have = 0
        announced = response.headers["Content-Length"]
        if announced is not None and have + int(announced) != expected:
            raise ConnectionError(f"the server has {have + int(announced)} bytes")
        with part.open("ab" if have else "wb") as file, _progress(part, have, expected) as report:
            while have <= expected and (chunk := response.read(CHUNK_BYTES)):
                file.write(chunk)
                have += len(chunk)
                report(have)
    if have < expected:
        raise ConnectionError("the connection broke off")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _verify(path: Path, to: Path, sha256: str, expected: int) -> None:
    """Check the file at `path`, which is to be the one at `to`; move it aside if it is another."""
    found, size = digest(path), _size(path)
    if (found, size) == (sha256, expected):
        return
    refused = to.with_name(f"{to.name}.refused-{found[:8]}")
    os.replace(path, refused)
    raise UserError(
        f"expected {to} with {expected} bytes and sha256 {sha256}, came {size} bytes with sha256 "
        f"{found}, kept as {refused.name}; put the right file there by hand or fetch it again"
    )


@contextmanager
def _progress(part: Path, have: int, expected: int) -> Iterator[Callable[[int], object]]:
    """Give what is to be told how many bytes there are: a bar on a terminal, lines elsewhere."""
    name = part.name.removesuffix(".part")
    if sys.stderr.isatty():
        with tqdm(total=expected, initial=have, desc=name, unit="B", unit_scale=True) as bar:
            yield lambda now: bar.update(now - bar.n)
        return
    told = 10 * have // expected

    def tell(now: int) -> None:
        nonlocal told
        if 10 * now // expected > told:
            told = 10 * now // expected
            print(f"{name}: {10 * told} % of {expected} bytes", file=sys.stderr, flush=True)

    yield tell
