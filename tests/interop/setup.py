"""Makes sure that a virtual environment with the pinned pyzmq exists.

    python3 setup.py VENV

Prints the path of its interpreter. An environment that fits is reused, one
that does not is made anew. A lock lets test processes run at the same time.
"""

import fcntl
import pathlib
import re
import subprocess
import sys
import venv

REQUIREMENTS = pathlib.Path(__file__).with_name("requirements.txt")
LIBZMQ = "4.3.5"
VERSIONS = "import zmq; print(zmq.pyzmq_version(), zmq.zmq_version())"


def versions(python):
    """The versions of pyzmq and libzmq that `python` has, if any."""
    try:
        return subprocess.run(
            [python, "-c", VERSIONS], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ).stdout.split()
    except OSError:
        return []


def main(directory):
    wanted = [re.search("^pyzmq==(.*)$", REQUIREMENTS.read_text(), re.M).group(1), LIBZMQ]
    python = directory / "bin" / "python"
    directory.parent.mkdir(parents=True, exist_ok=True)
    with open(directory.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # Until the file is closed.
        if versions(python) != wanted:
            venv.create(directory, clear=True, with_pip=True)
            pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            subprocess.run([*pip, "-r", REQUIREMENTS], stdout=sys.stderr, check=True)
    if versions(python) != wanted:
        sys.exit(f"wanted pyzmq and libzmq {wanted}, but {python} has {versions(python)}")
    print(python)


if sys.version_info < (3, 8):
    sys.exit("Python 3.8 or newer is needed")
main(pathlib.Path(sys.argv[1]))
