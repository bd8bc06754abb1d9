"""How soon the programs are ready: `funcpipe --help`, and a cold worker from its start to its first operation."""
import argparse
import os
import subprocess
import time

import job


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--runs", type=int, default=15)
    chosen = options.parse_args()
    help_seconds = []
    for _ in range(chosen.runs):
        begin = time.perf_counter()
        subprocess.run([job.FUNCPIPE, "--help"], stdout=subprocess.DEVNULL, check=True)
        help_seconds.append(time.perf_counter() - begin)
    fashion = "/usr/share/datasets/fashion-mnist/t10k-"
    starts = []
    for _ in range(3):
        run = job.train("start", {
            "model.source": "zoo:fashion-cnn", "data.format": "idx",
            "data.train_input": fashion + "images-idx3-ubyte.gz", "data.train_target": fashion + "labels-idx1-ubyte.gz",
            "training.steps": 2, "training.global_batch": 64, "training.micro_batch": 32,
            "parallelism.stages": 2, "parallelism.replicas": 1, "platform.name": "local"})
        starts += run.ready_seconds()
    print(job.table(["what", "runs", "median ms", "range ms"], [
        ["funcpipe --help", len(help_seconds), f"{1e3 * job.median(help_seconds):.0f}",
         f"{1e3 * min(help_seconds):.0f}-{1e3 * max(help_seconds):.0f}"],
        ["cold worker to its first operation, two at once", len(starts), f"{1e3 * job.median(starts):.0f}",
         f"{1e3 * min(starts):.0f}-{1e3 * max(starts):.0f}"]]))


main()
