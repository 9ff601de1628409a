"""The sides of request_reply_broker.rs, with pyzmq.

python3 examples/request_reply_broker.py broker tcp://127.0.0.1:5559 tcp://127.0.0.1:5560
python3 examples/request_reply_broker.py worker tcp://127.0.0.1:5560
python3 examples/request_reply_broker.py client tcp://127.0.0.1:5559
"""
import sys
import zmq


def broker(context, front, back):
    with context.socket(zmq.ROUTER) as clients, context.socket(zmq.DEALER) as workers:
        clients.bind(front)
        workers.bind(back)
        zmq.proxy(clients, workers)


def worker(context, back):
    with context.socket(zmq.REP) as rep:
        rep.connect(back)
        while True:
            rep.send_string(f"{int(rep.recv_string()) ** 2} (by Python)")


def client(context, front):
    with context.socket(zmq.REQ) as req:
        req.connect(front)
        for number in range(1, 4):
            req.send_string(str(number))
            print(number, "squared is", req.recv_string())


with zmq.Context() as context:
    roles = {"broker": broker, "worker": worker, "client": client}
    roles[sys.argv[1]](context, *sys.argv[2:])
