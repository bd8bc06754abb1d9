"""The systems of `funcpipe bench paper` on this machine: planned for small models, simulated, and trained for real.

Each model is profiled on the emulator; every system plans it for few, small functions; its plan is simulated, and trained
on the emulator, dilated so that all functions together fit this machine's cores. What counts is whether the systems
stand to each other as simulated: `x ours` is a system's seconds over ours, simulated and measured.
"""
import argparse
import json
import math
import os
import re
import sys
import tempfile

import job
import small_models

PLATFORM = "aws-lambda-70MBps"
SIZES = [512, 1024, 1769]
MICRO_BATCHES = [1, 4, 16, 64]
FUNCTIONS = 8  # at most, of a plan
SYSTEMS = {"LambdaML": "lambdaml", "LambdaML-GA": "lambdaml-ga", "HybridPS": "hybridps", "HybridPS-GA": "hybridps-ga",
           "FuncPipe as published": "funcpipe-as-published", "ours": "ours"}


def small_platform(folder):
    """PLATFORM with few functions of few sizes, as a file."""
    with open(os.path.join(job.ROOT, "platforms", PLATFORM + ".toml")) as file:
        text = file.read()
    text, limited = re.subn(r"(?m)^concurrency = .*$", f"concurrency = {FUNCTIONS}", text)
    text, sized = re.subn(r"(?m)^sizes_mb = .*$", f"sizes_mb = {SIZES}", text)
    assert limited == 1 and sized == 1
    path = os.path.join(folder, "small.toml")
    with open(path, "w") as out:
        out.write(text)
    return path


def chosen_plans(profile_path, platform, batch, aim, folder):
    """By system: the file of the plan it chooses."""
    plans = os.path.join(folder, "plans")
    job.funcpipe("bench", "paper", "--models", profile_path, "--platforms", platform, "--batches", str(batch), "--out",
                 os.path.join(folder, "results"), "--plans", plans)
    stem = lambda path: os.path.splitext(os.path.basename(path))[0]
    return {system: os.path.join(plans, f"{stem(profile_path)}-{stem(platform)}-{batch}-{slug}-{aim}.json")
            for system, slug in SYSTEMS.items()}


def shape_of(plan):
    sizes = "/".join(str(stage["memory_mb"]) for stage in plan["stages"])
    return f"{len(plan['stages'])}x{plan['replicas']}, {plan['micro_batch']}, {sizes}"


def compare(name, options, folder):
    """Rows of the table, and by how much the systems' ratios to ours differ from the simulated ones."""
    platform, profile_path = small_platform(folder), os.path.join(folder, name + ".json")
    small_models.make_profile(name, platform, SIZES, MICRO_BATCHES, profile_path)
    data = small_models.make_data(name, folder, rows=2 * options.batch)
    plans = chosen_plans(profile_path, platform, options.batch, options.aim, folder)
    figures, trained = {}, {}
    for system, path in plans.items():
        if not os.path.exists(path):
            print(f"{name} {system}: nothing fits", file=sys.stderr)
            continue
        with open(path) as file:
            plan = json.load(file)
        key = json.dumps(plan, sort_keys=True)
        if key not in trained:  # systems that choose the same plan share its figures
            simulated = job.median(small_models.simulate_plan(path, profile_path, platform, options.steps)
                                   ["iteration_seconds"][job.WARM_UP:])
            dilation = max(1, math.ceil(small_models.demand_of(plan) / options.cores))
            run = small_models.train_plan(name, f"{name}-{SYSTEMS[system]}", data, path, platform, options.steps, dilation)
            seconds = [one / dilation for one in run.iteration_seconds()]
            trained[key] = (shape_of(plan), plan["sync"] if plan["replicas"] > 1 else "-", dilation, simulated, seconds)
        figures[system] = trained[key]
        print(name, system, *figures[system][:4], f"{job.median(figures[system][4]):.3f}", file=sys.stderr, flush=True)
    if "ours" not in figures:
        sys.exit(f"{name}: nothing of ours fits; a smaller --batch may")
    own_simulated, own_measured = figures["ours"][3], job.median(figures["ours"][4])
    rows, apart = [], []
    for system, (shape, sync, dilation, simulated, seconds) in figures.items():
        measured = job.median(seconds)
        expected, found = simulated / own_simulated, measured / own_measured
        if system != "ours":
            apart.append(abs(found / expected - 1))
        rows.append([name, system, shape, sync, dilation, f"{measured:.3f}", f"{min(seconds):.3f}-{max(seconds):.3f}",
                     f"{simulated:.3f}", f"{simulated / measured:.2f}", f"{expected:.2f}", f"{found:.2f}",
                     f"{100 * (found / expected - 1):+.1f}%"])
    return rows, apart


def main():
    parser = argparse.ArgumentParser(prog="./dev bench systems", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default="bert,resnet")
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--aim", choices=["time", "between", "cost"], default="time", help="what each system plans for")
    parser.add_argument("--steps", type=int, default=13, help=f"of each run; the first {job.WARM_UP} are not counted")
    parser.add_argument("--cores", type=float, default=1.4, help="of this machine, for all functions together")
    options = parser.parse_args()
    if options.steps <= job.WARM_UP:
        parser.error(f"--steps: more than {job.WARM_UP}")
    rows, apart = [], []
    for name in options.models.split(","):
        with tempfile.TemporaryDirectory(prefix="funcpipe-bench-") as folder:
            more_rows, more_apart = compare(name, options, folder)
        rows += more_rows
        apart += more_apart
    print(job.table(["model", "system", "stages x replicas, micro-batch, MB", "sync", "dilation", "measured s", "range s",
                     "simulated s", "simulated / measured", "x ours, simulated", "x ours, measured", "apart"], rows))
    if apart:
        print(f"ratios to ours: measured and simulated {100 * sum(apart) / len(apart):.1f}% apart on average, "
              f"at most {100 * max(apart):.1f}%")


if __name__ == "__main__":
    main()
