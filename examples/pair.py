"""The sides of pair.rs, with pyzmq.

python3 examples/pair.py boss ipc:///tmp/pair.sock
python3 examples/pair.py worker ipc:///tmp/pair.sock
"""
import sys
import zmq


def boss(context, endpoint):
    with context.socket(zmq.PAIR) as pair:
        pair.bind(endpoint)
        pair.send_multipart([b"count", b"3"])
        print(*(frame.decode() for frame in pair.recv_multipart()))
        pair.send(b"stop")


def worker(context, endpoint):
    with context.socket(zmq.PAIR) as pair:
        pair.connect(endpoint)
        while (order := pair.recv_multipart())[0] == b"count":
            pair.send_multipart([b"counted", order[1]])


with zmq.Context() as context:
    {"boss": boss, "worker": worker}[sys.argv[1]](context, *sys.argv[2:])
