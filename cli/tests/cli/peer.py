"""A socket of pyzmq that does what it is told.

    peer.py TYPE bind|connect ENDPOINT STEP...

Steps before `bind` and `connect`: `plain:USER:PASSWORD`, `plain-server:USER:PASSWORD`,
`curve:SECRET_FILE:SERVER_FILE`, `curve-server:SECRET_FILE:DIRECTORY`, `subscribe:PREFIX`.
After it, in order: `send:FRAME|FRAME`, `recv`, which prints frames with | between them.
"""

import sys

import zmq
import zmq.auth
from zmq.auth.thread import ThreadAuthenticator

TIMEOUT_MS = 20_000


def secure(context, socket, step):
    """Does one of the steps that come before; returns what has to be stopped."""
    what, *args = step.split(":")
    authenticator = None
    if what.endswith("-server"):
        authenticator = ThreadAuthenticator(context)
        authenticator.start()
    if what == "plain":
        socket.plain_username, socket.plain_password = (arg.encode() for arg in args)
    elif what == "plain-server":
        authenticator.configure_plain(passwords={args[0]: args[1]})
        socket.plain_server = True
    elif what == "curve":
        socket.curve_publickey, socket.curve_secretkey = zmq.auth.load_certificate(args[0])
        socket.curve_serverkey = zmq.auth.load_certificate(args[1])[0]
    elif what == "curve-server":
        authenticator.configure_curve(location=args[1])
        socket.curve_publickey, socket.curve_secretkey = zmq.auth.load_certificate(args[0])
        socket.curve_server = True
    elif what == "subscribe":
        socket.subscribe(args[0])
    return authenticator


def main(kind, how, endpoint, *steps):
    with zmq.Context() as context, context.socket(getattr(zmq, kind.upper())) as socket:
        socket.sndtimeo = socket.rcvtimeo = TIMEOUT_MS
        # A SUB has nothing to deliver, but a subscription for a publisher that has left.
        socket.linger = 0 if kind == "sub" else TIMEOUT_MS
        later = [step for step in steps if step == "recv" or step.startswith("send:")]
        authenticators = [secure(context, socket, step) for step in steps if step not in later]
        getattr(socket, how)(endpoint)
        if how == "bind":
            last = socket.getsockopt_string(zmq.LAST_ENDPOINT)
            print(f"listening on {last}", file=sys.stderr, flush=True)
        for step in later:
            if step == "recv":
                frames = socket.recv_multipart()
                print("|".join(repr(frame)[2:-1] for frame in frames), flush=True)
            else:
                socket.send_multipart(step.removeprefix("send:").encode().split(b"|"))
        socket.close()
        for authenticator in filter(None, authenticators):
            authenticator.stop()


main(*sys.argv[1:])
