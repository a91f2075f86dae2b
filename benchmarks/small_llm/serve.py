"""`PYTHON serve.py FILE PORT`: llama.cpp's own server. Run by the venv of `install`."""

import signal
import sys

import xllamacpp

MOST_TOKENS = 600


def main() -> None:
    file, port = sys.argv[1:]
    params = xllamacpp.CommonParams()
    params.model.path = file
    params.port = int(port)
    params.n_ctx = 4096
    params.n_parallel = 1
    params.n_predict = MOST_TOKENS
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    signal.pause()


if __name__ == "__main__":
    main()
