"""How the comparisons beside this file measure time."""
import os
import resource
import time


def use_cores(count):
    """For this process and the programs that it starts; before libraries count cores."""
    allowed = sorted(os.sched_getaffinity(0))
    if count > len(allowed):
        raise SystemExit(f"{count} cores are asked for, there are {len(allowed)}")
    os.sched_setaffinity(0, allowed[:count])


def use_one_core():
    use_cores(1)


def clock_seconds(work):
    """On the clock, for work on several cores; the machine should be idle."""
    begin = time.perf_counter()
    result = work()
    return time.perf_counter() - begin, result


def processor_seconds(work):
    """Of this process and the programs it ran, which other programs on the machine do not advance."""
    both = resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN
    used = lambda: sum(sum(resource.getrusage(who)[:2]) for who in both)
    begin = used()
    result = work()
    return used() - begin, result
