"""How the comparisons beside this file measure time."""
import os
import resource


def use_one_core():
    """For this process and the programs that it starts."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def processor_seconds(work):
    """Of this process and the programs it ran, which other programs on the machine do not advance."""
    both = resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN
    used = lambda: sum(sum(resource.getrusage(who)[:2]) for who in both)
    begin = used()
    result = work()
    return used() - begin, result
