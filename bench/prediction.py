"""What the planner predicts of a plan against what the emulator measures of it: iteration time, bill, peak memory.

Each model is profiled on the emulator, then plans of one to four stages and one to four replicas are predicted by
`funcpipe plan --fixed` and trained by `funcpipe train`, dilated so that all functions together fit this machine's cores.
"""
import argparse
import json
import math
import os
import subprocess
import sys
import tempfile

import job

PLATFORM = "aws-lambda-70MBps"
PUT_DOLLARS = 5e-6  # platforms/aws-lambda-70MBps.toml
MODELS = {
    "bert": {"source": "zoo:bert?layers=4&width=256&heads=4&vocab=8000&seq=64&classes=2", "batch": 32, "micro": 4},
    "resnet": {"source": "zoo:resnet?blocks=1,1,1,1&classes=10&size=64", "batch": 32, "micro": 4},
    "char-gpt": {"source": "zoo:char-gpt", "batch": 16, "micro": 4},
}
# stages, replicas, memory of the stages in turn, synchronisation
PLANS = {
    "bert": [(1, 1, [1769], "pipelined"), (2, 1, [1769], "pipelined"), (4, 1, [1769, 1024], "pipelined"),
             (1, 2, [1769], "three-phase"), (2, 2, [1024], "pipelined"), (1, 4, [1769], "pipelined"),
             (2, 4, [1769], "three-phase")],
    "resnet": [(1, 1, [1769], "pipelined"), (2, 1, [1024], "pipelined"), (3, 1, [1769], "pipelined"),
               (4, 1, [1769], "pipelined"), (1, 2, [1769], "pipelined"), (2, 2, [1769, 1024], "three-phase")],
    "char-gpt": [(1, 1, [1769], "pipelined"), (2, 1, [1769, 512], "pipelined"), (2, 2, [1769], "pipelined"),
                 (1, 4, [1024], "three-phase"), (4, 2, [1024], "pipelined")],
}
SIZES = sorted({size for plans in PLANS.values() for plan in plans for size in plan[2]})


def command(*arguments):
    done = subprocess.run([job.FUNCPIPE, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"funcpipe {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def vcpus(memory):
    return min(6, memory / 1769)


def data_of(name, folder):
    rng = job.random_source(1)
    x, y = os.path.join(folder, name + "-x.npy"), os.path.join(folder, name + "-y.npy")
    rows = 64
    if name == "bert":
        job.write_npy(x, "<i8", [rows, 64], job.integers(rng, rows * 64, 8000))
        job.write_npy(y, "<i8", [rows], job.integers(rng, rows, 2))
    elif name == "resnet":
        job.write_npy(x, "<f4", [rows, 3, 64, 64], job.floats(rng, rows * 3 * 64 * 64))
        job.write_npy(y, "<i8", [rows], job.integers(rng, rows, 10))
    else:
        inputs = json.loads(command_worker("describe", MODELS[name]["source"]))["inputs"][0]["shape"][1:]
        length = math.prod(inputs)
        job.write_npy(x, "<i8", [rows, length], job.integers(rng, rows * length, 64))
        job.write_npy(y, "<i8", [rows, length], job.integers(rng, rows * length, 64))
    return x, y


def command_worker(*arguments):
    program = os.path.join(os.path.dirname(job.FUNCPIPE), "funcpipe-worker")
    return subprocess.run([program, *arguments], stdout=subprocess.PIPE, text=True, check=True).stdout


def even_cuts(profile, stages):
    """Ends of stages of about equal computing time."""
    times = profile["micro_batches"][-1]["times"][-1]
    weights = [time["forward"] + time["backward"] for time in times]
    total, ends, sum_ = sum(weights), [], 0
    for i, weight in enumerate(weights[:-1]):
        sum_ += weight
        if len(ends) + 1 < stages and sum_ >= total * (len(ends) + 1) / stages:
            ends.append(i + 1)
    return ends + [len(weights)]


def plan_file(path, profile, model, shape):
    stages, replicas, memory, sync = shape
    first, rows = 0, []
    for k, end in enumerate(even_cuts(profile, stages)):
        rows.append({"first_layer": first, "end_layer": end, "memory_mb": memory[k % len(memory)]})
        first = end
    plan = {"version": 1, "model": model["source"], "fingerprint": profile["model"]["fingerprint"], "stages": rows,
            "replicas": replicas, "global_batch": model["batch"], "micro_batch": model["micro"], "order": "gpipe",
            "sync": sync}
    with open(path, "w") as out:
        json.dump(plan, out)
    return rows


def main():
    parser = argparse.ArgumentParser(prog="./dev bench prediction", description=__doc__)
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--cores", type=float, default=1.4, help="of this machine, for all functions together")
    parser.add_argument("--plans", type=int, default=99, help="of each model")
    options = parser.parse_args()
    rows, errors = [], {"time": [], "bill": [], "memory": []}
    with tempfile.TemporaryDirectory(prefix="funcpipe-bench-") as folder:
        for name in options.models.split(","):
            model = MODELS[name]
            profile_path = os.path.join(folder, name + ".json")
            command("profile", model["source"], "--platform", PLATFORM, "--memory", ",".join(map(str, SIZES)),
                    "--micro-batch", str(model["micro"]), "--vcpu-speed", "1", "--out", profile_path)
            with open(profile_path) as file:
                profile = json.load(file)
            x, y = data_of(name, folder)
            for shape in PLANS[name][:options.plans]:
                stages, replicas, memory, sync = shape
                path = os.path.join(folder, "plan.json")
                used = plan_file(path, profile, model, shape)
                predicted = json.loads(command(
                    "plan", profile_path, "--platform", PLATFORM, "--batch", str(model["batch"]), "--micro-batch",
                    str(model["micro"]), "--iterations", str(options.steps), "--fixed", path, "--json"))["own"]["prediction"]
                demand = replicas * sum(vcpus(stage["memory_mb"]) for stage in used)
                dilation = max(1, math.ceil(demand / options.cores))
                run = job.train(f"{name}-{stages}x{replicas}", {
                    "model.source": model["source"], "data.format": "npy", "data.train_input": x,
                    "data.train_target": y, "training.steps": options.steps,
                    "training.global_batch": model["batch"], "training.micro_batch": model["micro"],
                    "training.wait_limit": 600, "parallelism.plan": path, "platform.name": PLATFORM,
                    "platform.dilation": dilation})
                measured = job.median(run.iteration_seconds(skip=2)) / dilation
                functions = [usage for name_, usage in run.bill["by_function"].items() if name_ != "client"]
                # Each worker stores its trace, which this measurement alone asks for.
                bill = sum(usage["dollars"] for usage in functions) - len(used) * replicas * PUT_DOLLARS
                gets = sum(usage["get"] for usage in functions)
                peak, bound = run.result["peak_memory_bytes"], max(s["memory_bytes"] for s in predicted["stages"])
                ratios = (predicted["iteration_seconds"] / measured, predicted["dollars"] / bill, bound / peak)
                for key, ratio in zip(errors, ratios):
                    errors[key].append(abs(ratio - 1))
                rows.append([name, f"{stages}x{replicas}", "/".join(str(s["memory_mb"]) for s in used), sync, dilation,
                             f"{measured:.3f}", f"{predicted['iteration_seconds']:.3f}", f"{ratios[0]:.2f}",
                             f"{bill * 1e6:.1f}", f"{ratios[1]:.2f}", gets, f"{predicted['get'] / gets:.2f}",
                             f"{peak / 2**20:.0f}", f"{ratios[2]:.2f}"])
                print(" ".join(map(str, rows[-1])), file=sys.stderr, flush=True)
    print(job.table(["model", "plan", "memory MB", "sync", "dilation", "measured s", "predicted s", "ratio",
                     "bill $/M", "ratio", "GETs", "ratio", "peak MiB", "ratio"], rows))
    for key, values in errors.items():
        print(f"{key}: mean error {100 * sum(values) / len(values):.1f}%, worst {100 * max(values):.1f}%")


if __name__ == "__main__":
    main()
