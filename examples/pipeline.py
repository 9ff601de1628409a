"""The sides of pipeline.rs, with pyzmq.

python3 examples/pipeline.py sink tcp://127.0.0.1:5558
python3 examples/pipeline.py worker tcp://127.0.0.1:5557 tcp://127.0.0.1:5558
python3 examples/pipeline.py ventilator tcp://127.0.0.1:5557
"""
import sys
import zmq


def ventilator(context, endpoint):
    with context.socket(zmq.PUSH) as push:
        push.bind(endpoint)
        for number in range(100, 112):
            push.send_string(str(number))


def worker(context, source, results):
    with context.socket(zmq.PULL) as pull, context.socket(zmq.PUSH) as push:
        pull.connect(source)
        push.connect(results)
        while True:
            number = pull.recv_string()
            push.send_multipart([b"Python", f"{number} has {len(number)} digits".encode()])


def sink(context, endpoint):
    with context.socket(zmq.PULL) as pull:
        pull.bind(endpoint)
        while True:
            print(*(frame.decode() for frame in pull.recv_multipart()), sep="  ", flush=True)


with zmq.Context() as context:
    roles = {"ventilator": ventilator, "worker": worker, "sink": sink}
    roles[sys.argv[1]](context, *sys.argv[2:])
