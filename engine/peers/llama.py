"""llama.cpp through the C interface of its Python package, on the very file: no Python but one call a step."""

import ctypes
from pathlib import Path

import numpy as np

MOST_THREADS = 512


class PoolSettings(ctypes.Structure):
    """What a pool of threads is made with."""

    _fields_ = [
        ("cores", ctypes.c_bool * MOST_THREADS),
        ("threads", ctypes.c_int),
        ("priority", ctypes.c_int),
        ("poll", ctypes.c_uint32),
        ("strict", ctypes.c_bool),
        ("paused", ctypes.c_bool),
    ]


class LlamaCpp:
    """The file mapped, keys and values in 16 bits, as it does unless told otherwise."""

    package = "llama-cpp-python"

    def __init__(self, path, threads):
        import llama_cpp

        self.api, self.path, self.threads = llama_cpp, str(path).encode(), threads
        self.silence = llama_cpp.llama_log_callback(lambda level, text, data: None)
        llama_cpp.llama_log_set(self.silence, None)
        llama_cpp.llama_backend_init()
        self.model, self.context = self.open()
        self.memory = llama_cpp.llama_get_memory(self.context)
        self.vocabulary = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(self.model))
        self.pool = self.attach_pool()

    def open(self):
        api = self.api
        model = api.llama_model_load_from_file(self.path, api.llama_model_default_params())
        if not model:
            raise RuntimeError("llama.cpp does not load the file")
        settings = api.llama_context_default_params()
        settings.n_ctx = settings.n_batch = settings.n_ubatch = min(api.llama_model_n_ctx_train(model), 1024)
        settings.n_threads = settings.n_threads_batch = self.threads
        return model, api.llama_init_from_model(model, settings)

    def load(self):
        model, context = self.open()
        self.api.llama_free(context)
        self.api.llama_model_free(model)

    def attach_pool(self):
        """Threads that stay and wait by looking, each on a core of its own: the fastest way it has."""
        if self.threads == 1:
            return None
        library = ctypes.CDLL(str(next((Path(self.api.__file__).parent / "lib").glob("libggml-cpu.so"))))
        settings = PoolSettings(threads=self.threads, priority=0, poll=100, strict=True, paused=False)
        for core in range(self.threads):
            settings.cores[core] = True
        library.ggml_threadpool_new.restype = ctypes.c_void_p
        pool = library.ggml_threadpool_new(ctypes.byref(settings))
        attach = self.api.llama_cpp._lib.llama_attach_threadpool
        attach.argtypes = [ctypes.c_void_p] * 3
        attach(self.context, pool, pool)
        return pool

    def prompt(self, tokens):
        self.api.llama_memory_clear(self.memory, False)
        return self.step(tokens)

    def next(self, token):
        return self.step([token])

    def step(self, tokens):
        given = (ctypes.c_int32 * len(tokens))(*tokens)
        status = self.api.llama_decode(self.context, self.api.llama_batch_get_one(given, len(tokens)))
        if status:
            raise RuntimeError(f"llama.cpp refuses a step with status {status}")
        return np.ctypeslib.as_array(self.api.llama_get_logits(self.context), (self.vocabulary,))
