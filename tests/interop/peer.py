"""The other side of the interop tests: libzmq sockets, driven over a pipe.

Each line on stdin is a command: a verb, the name of a socket, and arguments,
all separated by spaces. Each is answered by one line on stdout: `ok` and the
results, or `error` and the reason. End of input ends the process.

A frame is one word: `x` and its octets in hex, or `SIZE:SEED` for a pattern
that both sides can make (so that 8 MiB need not go through the pipe). The
frames of a message follow each other; `/` separates messages.
"""

import os
import re
import sys

import zmq
from zmq.auth.thread import ThreadAuthenticator
from zmq.utils.monitor import recv_monitor_message

# Nothing takes longer, in milliseconds, unless something is wrong.
DEADLINE = 30_000

context = zmq.Context()
sockets = {}
monitors = {}
handlers = {}


# Words to values and back.


def pattern(size, seed):
    """Octets that differ by seed and never start like a subscription (0, 1)."""
    block = bytes(2 + (seed + i) % 251 for i in range(251))
    return (block * (size // 251 + 1))[:size]


def frame(word):
    if word.startswith("x"):
        return bytes.fromhex(word[1:])
    size, seed = word.split(":")
    return pattern(int(size), int(seed))


def messages(words):
    result = [[]]
    for word in words:
        if word == "/":
            result.append([])
        else:
            result[-1].append(frame(word))
    return result


def spell(frames):
    return " ".join("x" + each.hex() for each in frames)


def summary(frames):
    """For error messages: sizes, and what the frames start with."""
    return ", ".join(f"{len(each)} B {each[:24]!r}" for each in frames)


# The commands.


def open_socket(name, kind, *options):
    sockets[name] = socket = context.socket(getattr(zmq, kind))
    socket.linger = 0
    socket.rcvtimeo = socket.sndtimeo = DEADLINE
    monitors[name] = socket.get_monitor_socket()
    monitors[name].rcvtimeo = DEADLINE
    set_options(name, *options)


def set_options(name, *options):
    """Each is OPTION=VALUE, with a number or a frame."""
    for option in options:
        key, value = option.split("=")
        value = int(value) if re.fullmatch(r"-?\d+", value) else frame(value)
        sockets[name].setsockopt(getattr(zmq, key), value)


def bind(name, endpoint):
    sockets[name].bind(endpoint)
    return sockets[name].last_endpoint.decode()


def connect(name, endpoint):
    sockets[name].connect(endpoint)


def send(name, *words):
    for message in messages(words):
        sockets[name].send_multipart(message)


def receive(name, count="1"):
    return " / ".join(spell(sockets[name].recv_multipart()) for _ in range(int(count)))


def expect(name, *words):
    """Receives these very messages."""
    for index, wanted in enumerate(messages(words)):
        got = sockets[name].recv_multipart()
        if got != wanted:
            raise ValueError(f"message {index}: got {summary(got)}; wanted {summary(wanted)}")


def poll(name, milliseconds):
    """Whether there is something to receive, after at most so long."""
    return "1" if sockets[name].poll(int(milliseconds)) else "0"


def properties(name, *keys):
    """Receives a message and tells what libzmq knows of its sender."""
    last = sockets[name].recv_multipart(copy=False)[-1]
    return spell(last.get(key).encode() for key in keys)


def event(name, wanted, milliseconds):
    """Whether a monitor event happens (or has), within so long each."""
    wanted = getattr(zmq, "EVENT_" + wanted)
    while monitors[name].poll(int(milliseconds)):
        if recv_monitor_message(monitors[name])["event"] == wanted:
            return "1"
    return "0"


def event_value(name, wanted, milliseconds):
    """The value of a monitor event that happens (or has), within so long each."""
    wanted = getattr(zmq, "EVENT_" + wanted)
    while monitors[name].poll(int(milliseconds)):
        seen = recv_monitor_message(monitors[name])
        if seen["event"] == wanted:
            return str(seen["value"])
    return "none"


def close(name, linger="0"):
    """Closes the socket. What it lingers for goes on in the background."""
    sockets[name].disable_monitor()
    monitors.pop(name)
    sockets.pop(name).close(linger=int(linger))


class Keys:
    """Lets in who has one of these keys."""

    def __init__(self, keys):
        self.keys = keys

    def callback(self, domain, key):
        return key in self.keys


def authenticate(name, *settings):
    """Starts a ZAP handler, or sets it anew.

    Each setting is `user=NAME:PASSWORD`, `key=FRAME` (a client's) or `deny=ADDRESS`.
    """
    if name not in handlers:
        handlers[name] = ThreadAuthenticator(context)
        handlers[name].start()
    users, keys = {}, []
    for setting in settings:
        key, value = setting.split("=", 1)
        if key == "user":
            user, password = value.split(":")
            users[user] = password
        elif key == "key":
            keys.append(zmq.utils.z85.encode(frame(value)))
        else:
            handlers[name].deny(value)
    handlers[name].configure_plain(domain="*", passwords=users)
    handlers[name].configure_curve_callback(domain="*", credentials_provider=Keys(keys))


COMMANDS = {
    "authenticate": authenticate,
    "open": open_socket,
    "set": set_options,
    "bind": bind,
    "connect": connect,
    "send": send,
    "receive": receive,
    "expect": expect,
    "poll": poll,
    "properties": properties,
    "event": event,
    "event_value": event_value,
    "close": close,
}


def main():
    for line in sys.stdin:
        verb, *arguments = line.split()
        try:
            answer = f"ok {COMMANDS[verb](*arguments) or ''}"
        except Exception as error:
            answer = f"error {type(error).__name__}: {error}"
        print(answer.replace("\n", " "), flush=True)
    os._exit(0)  # Whatever lingers is given up.


main()
