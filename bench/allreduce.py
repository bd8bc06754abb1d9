"""Seconds to sum a 16 MB gradient over n replicas, through a network shaped to 70 MB/s and 20 ms, against the formulas
of docs/algorithms.md. Measured inside real training of a model that is almost nothing but its gradient: from the moment
the last replica ends its backward to the moment the last one begins its update."""
import argparse
import os
import tempfile

import job

RATE, LATENCY = 70e6, 0.020
SIZES = [2, 4, 8]
BYTES = 16_000_000


def formula(algorithm, n, size):
    if algorithm == "three-phase":
        return 3 * size / RATE - 2 * size / (n * RATE) + 4 * LATENCY
    return 2 * size / RATE + (2 + n) * LATENCY


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--iterations", type=int, default=13, help="of each run; the first three are not counted")
    options.add_argument("--replicas", type=int, action="append")
    options.add_argument("--platform", default="shaped-70MBps")
    options.add_argument("--keep", help="copy the results of each run (trace.json) into this folder")
    chosen = options.parse_args()
    rows = []
    with tempfile.TemporaryDirectory(prefix="funcpipe-bench-") as folder:
        # One embedding table is the whole gradient: 2,000,000 rows of 2 columns.
        import torch

        class Table(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.table = torch.nn.Embedding(BYTES // 8, 2)

            def forward(self, x):
                return self.table(x).sum(1)

        model = os.path.join(folder, "table.pt")
        torch.jit.script(Table()).save(model)
        rng = job.random_source(1)
        x, y = os.path.join(folder, "x.npy"), os.path.join(folder, "y.npy")
        job.write_npy(x, "<i8", [64, 4], job.integers(rng, 256, BYTES // 8))
        job.write_npy(y, "<i8", [64], job.integers(rng, 64, 2))
        for algorithm in ["three-phase", "pipelined"]:
            for n in chosen.replicas or SIZES:
                run = job.train(f"{algorithm}-{n}", {
                    "model.source": model, "model.loss": "cross-entropy", "data.format": "npy",
                    "data.train_input": x, "data.train_target": y, "optimizer.lr": 0.01,
                    "training.steps": chosen.iterations, "training.global_batch": 16, "training.micro_batch": 16 // n,
                    "parallelism.stages": 1, "parallelism.replicas": n, "parallelism.sync": algorithm,
                    "platform.name": chosen.platform}, chosen.keep)
                seconds = []
                for i in range(3, chosen.iterations):
                    begin = max(e["ts"] + e["dur"] for e in run.of("backward", iteration=i))
                    seconds.append((max(e["ts"] for e in run.of("update", iteration=i)) - begin) / 1e6)
                goal = formula(algorithm, n, BYTES)
                bound = 2 * (1 - 1 / n) * BYTES / RATE
                measured = job.median(seconds)
                rows.append([algorithm, n, len(seconds), f"{measured:.3f}", f"{min(seconds):.3f}-{max(seconds):.3f}",
                             f"{goal:.3f}", f"{measured / goal:.2f}", f"{bound:.3f}"])
                print(".", end="", flush=True)
    print("\n" + job.table(["algorithm", "replicas", "iterations", "median s", "range s", "formula s", "ratio",
                            "download bound s"], rows))


main()
