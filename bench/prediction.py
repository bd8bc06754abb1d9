"""What the planner and the simulator say of a plan against what the emulator measures of it: iteration time, bill, peak
memory.

Each model is profiled on the emulator, then plans of one to four stages and one to four replicas are predicted by
`funcpipe plan --fixed`, played by `funcpipe simulate` and trained by `funcpipe train`, dilated so that all functions
together fit this machine's cores.
"""
import argparse
import json
import math
import os
import sys
import tempfile

import job
import small_models

PLATFORM = "aws-lambda-70MBps"
PUT_DOLLARS = 5e-6  # platforms/aws-lambda-70MBps.toml
BATCHES = {"bert": 32, "resnet": 32, "char-gpt": 16}
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


def plan_file(path, name, profile, shape):
    stages, replicas, memory, sync = shape
    first, rows = 0, []
    for k, end in enumerate(even_cuts(profile, stages)):
        rows.append({"first_layer": first, "end_layer": end, "memory_mb": memory[k % len(memory)]})
        first = end
    plan = {"version": 1, "model": small_models.SOURCES[name], "fingerprint": profile["model"]["fingerprint"],
            "stages": rows, "replicas": replicas, "global_batch": BATCHES[name],
            "micro_batch": small_models.MICRO_BATCH, "order": "gpipe", "sync": sync}
    with open(path, "w") as out:
        json.dump(plan, out)
    return rows


def predict(name, profile_path, plan_path, steps):
    return json.loads(job.funcpipe(
        "plan", profile_path, "--platform", PLATFORM, "--batch", str(BATCHES[name]), "--micro-batch",
        str(small_models.MICRO_BATCH), "--iterations", str(steps), "--fixed", plan_path, "--json"))["own"]["prediction"]


def main():
    parser = argparse.ArgumentParser(prog="./dev bench prediction", description=__doc__)
    parser.add_argument("--models", default=",".join(PLANS))
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--cores", type=float, default=1.4, help="of this machine, for all functions together")
    parser.add_argument("--plans", type=int, default=99, help="of each model")
    options = parser.parse_args()
    if options.steps <= job.WARM_UP:
        parser.error(f"--steps: more than {job.WARM_UP}")
    rows, errors = [], {"iteration, predicted": [], "iteration, simulated": [], "bill": [], "memory": []}
    with tempfile.TemporaryDirectory(prefix="funcpipe-bench-") as folder:
        for name in options.models.split(","):
            profile_path, plan_path = os.path.join(folder, name + ".json"), os.path.join(folder, "plan.json")
            profile = small_models.make_profile(name, PLATFORM, SIZES, [small_models.MICRO_BATCH], profile_path)
            data = small_models.make_data(name, folder)
            for shape in PLANS[name][:options.plans]:
                stages, replicas, memory, sync = shape
                used = plan_file(plan_path, name, profile, shape)
                predicted = predict(name, profile_path, plan_path, options.steps)
                simulated = job.median(small_models.simulate_plan(
                    plan_path, profile_path, PLATFORM, options.steps)["iteration_seconds"][job.WARM_UP:])
                demand = small_models.demand_of({"stages": used, "replicas": replicas})
                dilation = max(1, math.ceil(demand / options.cores))
                run = small_models.train_plan(name, f"{name}-{stages}x{replicas}", data, plan_path, PLATFORM,
                                              options.steps, dilation)
                measured = job.median(run.iteration_seconds()) / dilation
                functions = [usage for name_, usage in run.bill["by_function"].items() if name_ != "client"]
                # Each worker stores its trace, which this measurement alone asks for.
                bill = sum(usage["dollars"] for usage in functions) - len(used) * replicas * PUT_DOLLARS
                gets = sum(usage["get"] for usage in functions)
                peak, bound = run.result["peak_memory_bytes"], max(s["memory_bytes"] for s in predicted["stages"])
                ratios = (predicted["iteration_seconds"] / measured, simulated / measured, predicted["dollars"] / bill,
                          bound / peak)
                for key, ratio in zip(errors, ratios):
                    errors[key].append(abs(ratio - 1))
                rows.append([name, f"{stages}x{replicas}", "/".join(str(s["memory_mb"]) for s in used), sync, dilation,
                             f"{measured:.3f}", f"{predicted['iteration_seconds']:.3f}", f"{ratios[0]:.2f}",
                             f"{simulated:.3f}", f"{ratios[1]:.2f}", f"{bill * 1e6:.1f}", f"{ratios[2]:.2f}", gets,
                             f"{predicted['get'] / gets:.2f}", f"{peak / 2**20:.0f}", f"{ratios[3]:.2f}"])
                print(" ".join(map(str, rows[-1])), file=sys.stderr, flush=True)
    print(job.table(["model", "plan", "memory MB", "sync", "dilation", "measured s", "predicted s", "ratio",
                     "simulated s", "ratio", "bill $/M", "ratio", "GETs", "ratio", "peak MiB", "ratio"], rows))
    for key, values in errors.items():
        print(f"{key}: mean error {100 * sum(values) / len(values):.1f}%, worst {100 * max(values):.1f}%")


if __name__ == "__main__":
    main()
