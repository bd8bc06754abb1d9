"""Runs a job with `funcpipe train` on data made for it and reads back what the workers did."""
import json
import math
import os
import random
import statistics
import struct
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
WARM_UP = 3  # iterations that are not counted
FUNCPIPE = os.environ.get("FUNCPIPE", os.path.join(ROOT, "build/default/bin/funcpipe"))


def funcpipe(*arguments):
    """What the command printed; its failure ends the benchmark."""
    done = subprocess.run([FUNCPIPE, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"funcpipe {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def write_npy(path, dtype, shape, content):
    """A NumPy array file (format version 1.0)."""
    header = "{'descr': '%s', 'fortran_order': False, 'shape': (%s,), }" % (dtype, ", ".join(map(str, shape)))
    header += " " * (63 - (len(header) + 10) % 64) + "\n"
    with open(path, "wb") as out:
        out.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + content)


def integers(rng, count, limit):
    return struct.pack(f"<{count}q", *(rng.randrange(limit) for _ in range(count)))


def floats(rng, count):
    return struct.pack(f"<{count}f", *(rng.uniform(-1, 1) for _ in range(count)))


class Run:
    """One finished job: the trace of every worker, as Chrome trace events (docs/formats/trace.md)."""

    def __init__(self, folder, result):
        self.result = result  # what `train --json` printed
        with open(os.path.join(folder, "trace.json")) as file:
            trace = json.load(file)["traceEvents"]
        self.events = [e for e in trace if e["ph"] == "X"]
        self.instants = [e for e in trace if e["ph"] == "i"]
        with open(os.path.join(folder, "plan.json")) as file:
            self.plan = json.load(file)
        with open(os.path.join(folder, "job.json")) as file:
            self.job = json.load(file)
        with open(os.path.join(folder, "bill.json")) as file:
            self.bill = json.load(file)

    def of(self, name, **where):
        return [e for e in self.events
                if e["name"] == name and all(e["args"].get(key) == value for key, value in where.items())]

    def ready_seconds(self):
        """Per worker: from the start of its process to its first operation."""
        started = {e["pid"]: e["ts"] for e in self.instants if e["name"] == "process start"}
        return [(min(e["ts"] for e in self.events if e["pid"] == pid) - ts) / 1e6 for pid, ts in started.items()]

    def border_bytes(self, stage):
        """What a stage sends forward per micro-batch, and what comes back for it."""
        border = self.job["model"]["layers"][self.plan["stages"][stage]["end_layer"] - 1]["border"]
        size = {"float32": 4, "int64": 8, "float64": 8, "int32": 4, "bool": 1, "uint8": 1}
        bytes_of = lambda tensor: size[tensor["dtype"]] * math.prod(tensor["shape"])
        share = self.plan["micro_batch"] / self.job["model"]["micro_batch"]
        return (share * sum(map(bytes_of, border)),
                share * sum(bytes_of(tensor) for tensor in border if tensor["requires_grad"]))

    def iteration_seconds(self):
        """Seconds between the last updates of consecutive iterations, those of the warm-up left out."""
        last = {}
        for event in self.of("update"):
            iteration = event["args"]["iteration"]
            last[iteration] = max(last.get(iteration, 0), event["ts"] + event["dur"])
        ends = [last[i] for i in sorted(last)]
        return [(b - a) / 1e6 for a, b in zip(ends, ends[1:])][WARM_UP - 1:]


def train(name, settings, keep=None):
    """`settings`: "section.key" -> value. Returns the Run."""
    with tempfile.TemporaryDirectory(prefix="funcpipe-bench-") as folder:
        sections = {}
        for key, value in settings.items():
            section, field = key.split(".")
            sections.setdefault(section, {})[field] = value
        sections.setdefault("job", {}).update(name=name, folder=folder)
        sections.setdefault("metrics", {}).update(trace_iterations=1000)
        path = os.path.join(folder, "job.toml")
        with open(path, "w") as out:
            for section, fields in sections.items():
                out.write(f"[{section}]\n" + "".join(f"{k} = {json.dumps(v)}\n" for k, v in fields.items()))
        printed = funcpipe("train", path, "--json")
        if keep:
            subprocess.run(["cp", "-r", os.path.join(folder, name), keep], check=True)
        return Run(os.path.join(folder, name), json.loads(printed))


def table(columns, rows):
    """Markdown, so that it can go into docs/benchmarks.md as it is."""
    cells = [columns] + [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(columns))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |" for row in cells]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


median = statistics.median
random_source = random.Random
