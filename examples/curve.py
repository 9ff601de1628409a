"""The sides of curve.rs, with pyzmq.

python3 examples/curve.py keygen DIRECTORY server alice
python3 examples/curve.py server tcp://127.0.0.1:5555 DIRECTORY
python3 examples/curve.py client tcp://127.0.0.1:5555 DIRECTORY alice

Who may come in has a file in DIRECTORY/clients; the server's own key is not there.
"""
import os
import sys
import zmq
import zmq.auth
from zmq.auth.thread import ThreadAuthenticator


def keygen(context, directory, *names):
    clients = os.path.join(directory, "clients")
    os.makedirs(clients, exist_ok=True)
    for name in names:
        public, _ = zmq.auth.create_certificates(directory, name)
        if name != "server":
            os.replace(public, os.path.join(clients, name + ".key"))


def own(directory, name):
    return zmq.auth.load_certificate(os.path.join(directory, name + ".key_secret"))


def server(context, endpoint, directory):
    authenticator = ThreadAuthenticator(context)
    authenticator.start()
    authenticator.configure_curve(domain="*", location=os.path.join(directory, "clients"))
    with context.socket(zmq.REP) as rep:
        rep.curve_publickey, rep.curve_secretkey = own(directory, "server")
        rep.curve_server = True
        rep.bind(endpoint)
        print("server    listens ", rep.last_endpoint.decode(), flush=True)
        while True:
            frame = rep.recv(copy=False)
            print("server    hears   ", frame.bytes.decode(), "from", frame.get("User-Id"), flush=True)
            rep.send(b"welcome")


def client(context, endpoint, directory, name):
    with context.socket(zmq.REQ) as req:
        req.curve_publickey, req.curve_secretkey = own(directory, name)
        req.curve_serverkey, _ = zmq.auth.load_certificate(os.path.join(directory, "server.key"))
        req.connect(endpoint)
        req.send(b"hello")
        print(f"{name:<9} hears   ", req.recv().decode())


with zmq.Context() as context:
    roles = {"keygen": keygen, "server": server, "client": client}
    roles[sys.argv[1]](context, *sys.argv[2:])
