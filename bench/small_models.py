"""The small models that benchmarks train, data made for them, and their profiles."""
import json
import math
import os
import subprocess

import job

BATCH, MICRO_BATCH = 32, 4
SOURCES = {
    "bert": "zoo:bert?layers=4&width=256&heads=4&vocab=8000&seq=64&classes=2",
    "resnet": "zoo:resnet?blocks=1,1,1,1&classes=10&size=64",
    "char-gpt": "zoo:char-gpt",
}


def make_data(name, folder, rows=128):
    """Files of inputs and of targets."""
    rng = job.random_source(1)
    x, y = os.path.join(folder, name + "-x.npy"), os.path.join(folder, name + "-y.npy")
    if name == "bert":
        job.write_npy(x, "<i8", [rows, 64], job.integers(rng, rows * 64, 8000))
        job.write_npy(y, "<i8", [rows], job.integers(rng, rows, 2))
    elif name == "resnet":
        job.write_npy(x, "<f4", [rows, 3, 64, 64], job.floats(rng, rows * 3 * 64 * 64))
        job.write_npy(y, "<i8", [rows], job.integers(rng, rows, 10))
    else:
        length = math.prod(describe(name)["inputs"][0]["shape"][1:])
        job.write_npy(x, "<i8", [rows, length], job.integers(rng, rows * length, 64))
        job.write_npy(y, "<i8", [rows, length], job.integers(rng, rows * length, 64))
    return x, y


def describe(name):
    worker = os.path.join(os.path.dirname(job.FUNCPIPE), "funcpipe-worker")
    return json.loads(subprocess.run([worker, "describe", SOURCES[name]], stdout=subprocess.PIPE, text=True,
                                     check=True).stdout)


def make_profile(name, platform, sizes, micro_batches, path):
    """Measures the model on the emulator as it is; returns the profile."""
    job.funcpipe("profile", SOURCES[name], "--platform", platform, "--memory", ",".join(map(str, sizes)),
                 "--micro-batch", ",".join(map(str, micro_batches)), "--vcpu-speed", "1", "--out", path)
    with open(path) as file:
        return json.load(file)


def demand_of(plan):
    """Cores of this machine that the plan's functions keep busy; of AWS Lambda's sizes up to 10 GB."""
    return plan["replicas"] * sum(min(6, stage["memory_mb"] / 1769) for stage in plan["stages"])


def train_plan(name, label, data, plan_path, platform, steps, dilation):
    """Trains the plan, slowed down by `dilation`; returns the job.Run."""
    with open(plan_path) as file:
        plan = json.load(file)
    return job.train(label, {
        "model.source": SOURCES[name], "data.format": "npy", "data.train_input": data[0], "data.train_target": data[1],
        "training.steps": steps, "training.global_batch": plan["global_batch"],
        "training.micro_batch": plan["micro_batch"], "training.wait_limit": 600, "parallelism.plan": plan_path,
        "platform.name": platform, "platform.dilation": dilation})


def simulate_plan(plan_path, profile_path, platform, steps):
    """What `funcpipe simulate --json` says of the same job."""
    return json.loads(job.funcpipe("simulate", plan_path, "--profile", profile_path, "--platform", platform,
                                   "--iterations", str(steps), "--json"))
