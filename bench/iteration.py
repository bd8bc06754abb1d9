"""Seconds per training iteration against the ideal of the same run, through a network shaped to 70 MB/s and 20 ms.

The ideal is the GPipe makespan of docs/algorithms.md (every lane task of one micro-batch once, plus the largest lane task
for each further micro-batch, plus synchronisation) with the bytes that crossed and the compute times of this very run:
  ideal       compute times as they were, the cores shared with every other process of the run
  CPU bound   compute times as CPU seconds, and never below the run's whole compute divided by the machine's cores
"""
import argparse
import os
import tempfile

import job
from small_models import BATCH, MICRO_BATCH, SOURCES, make_data

RATE, LATENCY = 70e6, 0.020
MODELS = ["bert", "resnet"]
LAYOUTS = [(2, 1), (2, 2), (4, 1)]


def flow_shop(tasks, micro_batches):
    return sum(tasks) + (micro_batches - 1) * max(tasks)


def ideal(run, stages, replicas, time_of):
    """Section 4 of the system description: T_fwd + max over k of (T_bwd(k) + T_sync(k) + T_update(k))."""
    micro_batches = max(len({e["args"]["micro_batch"] for e in run.of("forward", stage=0, replica=r)})
                        for r in range(replicas))
    compute = lambda kind, k: job.median(time_of(e) for e in run.of(kind, stage=k))
    moved = lambda k, backwards: LATENCY + run.border_bytes(k)[backwards] / RATE
    forward = []
    for k in range(stages):
        forward.append(compute("forward", k))
        if k + 1 < stages:
            forward += [moved(k, False)] * 2  # up from k, down to k + 1
    finish = 0
    for k in range(stages):
        backward = []
        for j in range(k, stages):
            backward.append(compute("backward", j))
            if j > k:
                backward += [moved(j - 1, True)] * 2
        sync = 0
        if replicas > 1:
            size = 4 * sum(e["args"]["elements"] for e in run.of("publish", stage=k, replica=0, iteration=2))
            sync = 2 * size / RATE + (2 + replicas) * LATENCY  # pipelined scatter-reduce
        finish = max(finish, flow_shop(backward, micro_batches) + sync + compute("update", k))
    return flow_shop(forward, micro_batches) + finish


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--iterations", type=int, default=14, help="of each run; the first three are not counted")
    options.add_argument("--model", choices=MODELS, action="append")
    options.add_argument("--layout", help="stages x replicas, e.g. 2x1", action="append")
    options.add_argument("--platform", default="shaped-70MBps")
    options.add_argument("--keep", help="copy the results of each run (trace.json) into this folder")
    chosen = options.parse_args()
    rows = []
    for model in chosen.model or MODELS:
        with tempfile.TemporaryDirectory(prefix="funcpipe-bench-") as folder:
            x, y = make_data(model, folder)
            for stages, replicas in LAYOUTS:
                layout = f"{stages}x{replicas}"
                if chosen.layout and layout not in chosen.layout:
                    continue
                run = job.train(f"{model}-{layout}", {
                    "model.source": SOURCES[model], "model.loss": "cross-entropy",
                    "data.format": "npy", "data.train_input": x, "data.train_target": y,
                    "optimizer.name": "sgd", "optimizer.lr": 0.01, "optimizer.momentum": 0.9,
                    "training.steps": chosen.iterations, "training.global_batch": BATCH,
                    "training.micro_batch": MICRO_BATCH, "parallelism.stages": stages,
                    "parallelism.replicas": replicas, "platform.name": chosen.platform}, chosen.keep)
                seconds = run.iteration_seconds()
                measured = job.median(seconds)
                as_run = ideal(run, stages, replicas, lambda e: e["dur"] / 1e6)
                on_cpu = ideal(run, stages, replicas, lambda e: e["args"]["cpu_us"] / 1e6)
                work = sum(e["args"]["cpu_us"] for e in run.events if e["cat"] == "compute") / 1e6
                bound = max(on_cpu, work / chosen.iterations / os.cpu_count())
                rows.append([model, layout, len(seconds), f"{measured:.3f}", f"{min(seconds):.3f}-{max(seconds):.3f}",
                             f"{as_run:.3f}", f"{measured / as_run:.2f}", f"{bound:.3f}", f"{measured / bound:.2f}"])
                print(".", end="", flush=True)
    print("\n" + job.table(["model", "stages x replicas", "iterations", "median s", "range s", "ideal s", "ratio",
                            "CPU bound s", "ratio to it"], rows))


main()
