#!/usr/bin/env python3
"""What one message costs at either end, with one peer or a thousand.

    benches/instructions.py                         # everything, half an hour
    benches/instructions.py --cell push --peers 1   # PUSH -> PULL
    benches/instructions.py --check                 # none above what LOG.md records?

Runs the two ends of `peers crowd` (benches/peers/src/crowd.rs) and measures one
of them at a time:

- instructions: in user space, by callgrind, while the other end runs bare. Start
  and warm-up are not counted; about 30 are the measuring's own. The profile stays
  beside the binary, for `callgrind_annotate`. An end that callgrind slows down
  is never ahead: a sender finds its queues empty, a receiver finds its full.
- writes: system calls that write to a socket, by strace, where there is one.
- CPU: processor time, user and system, with both ends bare.

One socket is bound in a process of its own, many are connected in another:
`push`, `dealer-out`, `router-out` and `pub` send from the one to each of the many
in turn; `pull`, `dealer-in` and `router-in` receive from all; `rep` answers all, and what is
counted is round trips. The many are PULL, PUSH, DEALER, SUB or REQ. One in a hundred of the SUBs wants a message of `pub`, and
what they receive is counted, so its end `many` has other messages than its end
`one`.
"""

import argparse
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import threading

PEERS = pathlib.Path(__file__).resolve().parent / "peers"
CELLS = "push,pull,dealer-out,dealer-in,router-out,router-in,pub,rep"
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "RUST_BACKTRACE"}
PATIENCE = 1800  # Seconds for one run: a thousand peers on a busy machine take minutes.


# A count that is so much above the one that was reached is a fault.
TOLERANCE = 1.05
# Under this heading LOG.md has what was reached.
REACHED = "## Instructions reached"


def main():
    options = parse()
    if not shutil.which("valgrind"):
        sys.exit("instructions are counted by valgrind, which is not installed")
    if options.check:
        return check(options)
    if not options.binary:
        options.binary = build({})
    print("| cell | peers | end | instructions | writes | CPU µs |")
    print("|---|--:|---|--:|--:|--:|", flush=True)
    for cell in options.cell.split(","):
        for peers in map(int, options.peers.split(",")):
            for end in options.end.split(","):
                run = Run(options, cell, peers, end)
                costs = f"{run.instructions():.0f} | {run.writes()} | {run.cpu():.2f}"
                print(f"| {cell} | {peers} | {end} | {costs} |", flush=True)


def build(profile):
    manifest = str(PEERS / "Cargo.toml")
    target = PEERS / "target" / ("fat" if profile else "")
    command = ["cargo", "build", "--release", "--manifest-path", manifest]
    subprocess.run(
        [*command, "--target-dir", str(target)], check=True, env={**os.environ, **profile}
    )
    return target / "release/peers"


def check(options):
    """Fails if a count is above the one in LOG.md, built as an application may be."""
    if not options.binary:
        fat = {"CARGO_PROFILE_RELEASE_LTO": "fat", "CARGO_PROFILE_RELEASE_CODEGEN_UNITS": "1"}
        options.binary = build(fat)
    log = (PEERS.parent / "LOG.md").read_text().split(REACHED)[1].split("\n## ")[0]
    reached = re.findall(r"^\| (\S+) \| (\d+) \| (one|many)\b[^|]*\| (\d+) \|", log, re.MULTILINE)
    if not reached:
        sys.exit(f"LOG.md has no table under {REACHED}")
    too_many = False
    for cell, peers, end, most in reached:
        run = Run(options, cell, int(peers), end)
        # The smaller of two: what the system does meanwhile only adds to it.
        count = min(run.instructions(), run.instructions())
        is_fine = count <= int(most) * TOLERANCE
        too_many |= not is_fine
        verdict = "" if is_fine else f", more than {TOLERANCE} times as many"
        print(f"{cell}, {peers} peers, end {end}: {count:.0f}, reached {most}{verdict}", flush=True)
    if too_many:
        sys.exit("messages cost more instructions than they did")


def parse():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cell", default=CELLS, help=f"of {CELLS}")
    parser.add_argument("--peers", default="1,32,1000", help="how many sockets connect")
    parser.add_argument("--end", default="one,many", help="which ends to measure")
    parser.add_argument("--size", default="64", help="octets of a message, two or more")
    parser.add_argument("--mode", default="ct", help="ct, mt or bo: see benches/LOG.md")
    parser.add_argument("--messages", type=int, default=200_000, help="how many to measure")
    parser.add_argument("--check", action="store_true", help=f"against {REACHED!r} in LOG.md")
    parser.add_argument("--binary", help="a `peers` that is built already")
    return parser.parse_args()


class Run:
    """One end of one cell, measured in one way after the other."""

    def __init__(self, options, cell, peers, end):
        self.options, self.cell, self.peers, self.end = options, cell, peers, end
        # As much as the queues of all peers hold, whose mark is 1,000. To PUB they are
        # no bound, and with 1,000 peers each of its messages goes out ten times.
        self.warm_up = max(50_000, (100 if cell == "pub" else 1000) * peers)
        stem = f"{cell}.{peers}.{end}.{options.size}.{options.mode}"
        self.profile = pathlib.Path(options.binary).with_name(f"callgrind.{stem}.out")

    def instructions(self):
        tool = ["valgrind", "--tool=callgrind", "--log-file=/dev/null"]
        tool += ["--zero-before=peers::crowd::Meter::begin*"]
        self.measure([*tool, f"--callgrind-out-file={self.profile}"])
        # A call that was under way when the warm-up ended is left with no calls and
        # all that came after: callgrind_annotate would take it for the caller's own.
        profile = re.sub(r"^calls=0 .*\n.*\n", "", self.profile.read_text(), flags=re.MULTILINE)
        self.profile.write_text(profile)
        # The "summary" would have the warm-up of other threads in it.
        totals = re.search(r"^totals: (\d+)", profile, re.MULTILINE)
        return int(totals[1]) / self.options.messages

    def writes(self):
        """Of the whole run: beside the warm-up, the start is nothing."""
        if not shutil.which("strace"):
            return "–"
        calls = self.profile.with_suffix(".strace")
        tool = ["strace", "-f", "--seccomp-bpf", "-c", "-e", "trace=sendto,sendmsg,writev"]
        self.measure([*tool, "-o", str(calls)])
        # "% time", "seconds", "usecs/call", "calls", perhaps "errors", "total".
        total = re.search(r"^(\S+ +){3}(\d+) .*total$", calls.read_text(), re.MULTILINE)
        calls.unlink()
        return f"{int(total[2] if total else 0) / (self.warm_up + self.options.messages):.3f}"

    def cpu(self):
        messages, _, cpu = self.measure([]).split()
        return float(cpu) / int(messages) * 1e6

    def measure(self, tool):
        """Gives the figures of this end under a tool, once it has exited."""
        ends = [self.start("one", tool)]
        alarm = threading.Timer(PATIENCE, stop, [ends])
        alarm.start()
        try:
            ends.append(self.start("many", tool, ends[0].stdout.readline().strip()))
            measured = ends[0 if self.end == "one" else 1]
            figures = measured.stdout.readline()
            if not figures or measured.wait():
                sys.exit(f"{self.cell} with {self.peers} peers: the end {self.end} failed")
            return figures
        finally:
            alarm.cancel()
            stop(ends)

    def start(self, end, tool, *endpoint):
        is_measured = end == self.end
        counts = (self.warm_up, self.options.messages) if is_measured else (0, 0)
        ends = [self.cell, end, self.peers, self.options.size, self.options.mode, *counts]
        command = [*(tool if is_measured else []), self.options.binary, "crowd", *ends, *endpoint]
        return subprocess.Popen(
            list(map(str, command)),
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            # The end that is left alone complains.
            stderr=None if is_measured else subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )


def stop(ends):
    for process in ends:
        if process.poll() is None:
            # With its tool: what strace leaves behind would go on.
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


if __name__ == "__main__":
    main()
