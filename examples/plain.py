"""The sides of plain.rs, with pyzmq.

python3 examples/plain.py server tcp://127.0.0.1:5555
python3 examples/plain.py client tcp://127.0.0.1:5555 alice secret
"""
import sys
import zmq
from zmq.auth.thread import ThreadAuthenticator


def server(context, endpoint):
    authenticator = ThreadAuthenticator(context)
    authenticator.start()
    authenticator.configure_plain(domain="*", passwords={"alice": "secret", "bob": "hidden"})
    with context.socket(zmq.REP) as rep:
        rep.plain_server = True
        rep.bind(endpoint)
        print("server   listens ", rep.last_endpoint.decode(), flush=True)
        while True:
            frame = rep.recv(copy=False)
            print("server   hears   ", frame.bytes.decode(), "from", frame.get("User-Id"), flush=True)
            rep.send(b"welcome")


def client(context, endpoint, user, password):
    with context.socket(zmq.REQ) as req:
        req.plain_username, req.plain_password = user.encode(), password.encode()
        req.connect(endpoint)
        req.send(b"hello")
        print(f"{user:<8} hears   ", req.recv().decode())


with zmq.Context() as context:
    roles = {"server": server, "client": client}
    roles[sys.argv[1]](context, *sys.argv[2:])
