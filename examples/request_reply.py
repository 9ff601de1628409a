"""The sides of request_reply.rs, with pyzmq.

python3 examples/request_reply.py server tcp://127.0.0.1:5555
python3 examples/request_reply.py client tcp://127.0.0.1:5555
"""
import sys
import zmq


def server(context, endpoint):
    with context.socket(zmq.REP) as rep:
        rep.bind(endpoint)
        while True:
            rep.send_string(f"Hello, {rep.recv_string()}! This is Python.")


def client(context, endpoint):
    with context.socket(zmq.REQ) as req:
        req.connect(endpoint)
        req.send_string("Python")
        print(req.recv_string())


with zmq.Context() as context:
    {"server": server, "client": client}[sys.argv[1]](context, *sys.argv[2:])
