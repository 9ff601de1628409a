"""The sides of pub_sub.rs, with pyzmq.

python3 examples/pub_sub.py publisher tcp://127.0.0.1:5556
python3 examples/pub_sub.py subscriber tcp://127.0.0.1:5556 news.sport
"""
import sys
import zmq


def publisher(context, endpoint):
    with context.socket(zmq.XPUB) as xpub:
        xpub.xpub_verbose = True
        xpub.bind(endpoint)
        while True:
            if xpub.recv()[0] == 1:  # 1 and the prefix: somebody subscribes.
                xpub.send_multipart([b"news.world", b"Python speaks"])
                xpub.send_multipart([b"news.sport", b"Python wins"])


def subscriber(context, endpoint, prefix):
    with context.socket(zmq.SUB) as sub:
        sub.subscribe(prefix)
        sub.connect(endpoint)
        while True:
            print(*(frame.decode() for frame in sub.recv_multipart()), sep="  ", flush=True)


with zmq.Context() as context:
    {"publisher": publisher, "subscriber": subscriber}[sys.argv[1]](context, *sys.argv[2:])
