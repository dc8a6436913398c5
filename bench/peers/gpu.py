"""What the comparisons on a GPU share: arrays and clocks of PyTorch and CuPy, and their table.

On a GPU a time is that between two CUDA events on one stream, the least of several; with --device cpu,
for a rehearsal, it is that on the clock, and numpy stands for CuPy.
"""
import importlib
import pathlib
import subprocess
import time


def available(name):
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


class Torch:
    def __init__(self, torch, device):
        self.torch, self.on_gpu = torch, device != "cpu"
        self.device = torch.device(device)
        # A stream of its own: the default one has the number 0, which means "make one" to kronite.
        self.stream = torch.cuda.Stream(self.device) if self.on_gpu else None
        if self.on_gpu:
            torch.cuda.set_stream(self.stream)
        self.name = f"PyTorch {torch.__version__}"

    def put(self, values):
        return self.torch.from_numpy(values).to(self.device)

    def get(self, values):
        return values.cpu().numpy()

    def pointer(self, values):
        return values.data_ptr()

    def stream_number(self):
        return self.stream.cuda_stream

    def seconds(self, work):
        if not self.on_gpu:
            return clock_seconds(work)
        begin, end = (self.torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record(self.stream)
        work()
        end.record(self.stream)
        end.synchronize()
        return begin.elapsed_time(end) * 1e-3


class Arrays:
    """CuPy, or numpy in its place."""

    def __init__(self, xp, device):
        self.xp, self.on_gpu = xp, device != "cpu"
        self.name = f"CuPy {xp.__version__}" if self.on_gpu else f"numpy {xp.__version__} for CuPy"
        if self.on_gpu:
            xp.cuda.Device(gpu_number(device)).use()
            self.stream = xp.cuda.Stream(non_blocking=True)
            self.stream.use()

    def put(self, values):
        return self.xp.asarray(values)

    def get(self, values):
        return self.xp.asnumpy(values) if self.on_gpu else values

    def pointer(self, values):
        return values.data.ptr if self.on_gpu else values.ctypes.data

    def stream_number(self):
        return self.stream.ptr

    def seconds(self, work):
        if not self.on_gpu:
            return clock_seconds(work)
        begin, end = self.xp.cuda.Event(), self.xp.cuda.Event()
        begin.record(self.stream)
        work()
        end.record(self.stream)
        end.synchronize()
        return self.xp.cuda.get_elapsed_time(begin, end) * 1e-3


def gpu_number(device):
    return int(device.partition(":")[2] or 0)


def clock_seconds(work):
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def platforms(device):
    """(Torch or None, Arrays or None) on this device."""
    torch = available("torch")
    if torch and device != "cpu" and not torch.cuda.is_available():
        torch = None
    arrays = available("numpy" if device == "cpu" else "cupy")
    return Torch(torch, device) if torch else None, Arrays(arrays, device) if arrays else None


def least_seconds(platform, work, repeat):
    """Of several runs after one that compiles and allocates; and what the last gave."""
    result = work()
    seconds = []
    for _ in range(repeat):
        box = []
        seconds.append(platform.seconds(lambda: box.append(work())))
        result = box[0]
    return min(seconds), result


def jobs(build, task, folder, device, repeat):
    """Seconds of each step of kronite_gpu_jobs."""
    command = [pathlib.Path(build) / "bin/kronite_gpu_jobs", task, folder, device, str(repeat)]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"kronite_gpu_jobs: {done.stderr.strip()}")
    return {name: float(seconds) for name, seconds in (line.split() for line in done.stdout.splitlines())}


def options(parser):
    parser.add_argument("build", type=pathlib.Path, help="a folder of a build with benchmarks, such as build/cuda")
    parser.add_argument("--device", default="cuda:0", help="cuda:N, or cpu for a rehearsal (cuda:0)")
    parser.add_argument("--repeat", type=int, default=5)


def heading(title, device):
    print(f"\n{title}; {'a rehearsal on the CPU, no figure of a GPU' if device == 'cpu' else device}")
    print(f"{'':44}{'ms':>10}{'ratio':>8}{'apart':>10}")


def row(name, seconds, reference, apart=None):
    """`apart`: the largest difference of results from kronite's."""
    last = "" if apart is None else f"{apart:10.1e}"
    print(f"{name:44}{1e3 * seconds:10.3f}{seconds / reference:8.2f}{last}", flush=True)


def require(good, sentence):
    if not good:
        raise SystemExit(f"the results disagree: {sentence}")


def nothing_to_compare_with(device):
    print(f"neither PyTorch nor CuPy can use {device} here: nothing to compare with")
