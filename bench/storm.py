"""./dev storm: real jobs on the embedded cloud whose workers and clients are killed and stopped at random moments.

Every job is trained once undisturbed, in a folder of its own, and once in the storm; its weights must be the same to the
last bit, and no object may be left in the store. A failure prints the seed that repeats the choices (the
moments depend on the machine too).
"""
import argparse
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import job as jobs

LAYOUTS = [(2, 2), (3, 1), (1, 3), (2, 1), (1, 2)]
STEPS = 240


def write_data(folder, rng):
    rows = 96
    jobs.write_npy(os.path.join(folder, "x.npy"), "<f4", (rows, 1, 28, 28), jobs.floats(rng, rows * 28 * 28))
    jobs.write_npy(os.path.join(folder, "y.npy"), "<i8", (rows,), jobs.integers(rng, rows, 10))
    with open(os.path.join(folder, "job.toml"), "w") as file:
        file.write(JOB.format(steps=STEPS))


JOB = """[model]
source = "zoo:fashion-cnn?width=4"
[data]
train_input = "x.npy"
train_target = "y.npy"
validation_input = "x.npy"
validation_target = "y.npy"
[optimizer]
name = "adam"
lr = 0.001
[training]
steps = {steps}
global_batch = 12
micro_batch = 2
restarts = 1000
[checkpoint]
interval = 20
[validation]
every_epochs = 4
"""


def command(folder, stages, replicas, name):
    return [jobs.FUNCPIPE, "train", os.path.join(folder, "job.toml"), "--job.name", name,
            "--job.folder", os.path.join(folder, "runs"),
            "--parallelism.stages", str(stages), "--parallelism.replicas", str(replicas), "--json"]


def processes_below(client):
    """Of the client's descendants those that run a worker as a function."""
    children = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat") as file:
                parent = int(file.read().rsplit(")", 1)[1].split()[1])
            with open(f"/proc/{entry}/cmdline", "rb") as file:
                line = file.read()
        except (OSError, IndexError, ValueError):
            continue
        children.setdefault(parent, []).append((int(entry), line))
    found, waiting = [], [client]
    while waiting:
        for pid, line in children.get(waiting.pop(), []):
            waiting.append(pid)
            arguments = [a for a in line.split(b"\0") if a]
            if len(arguments) == 1 and arguments[0].endswith(b"funcpipe-worker"):  # a verb is a call of the client's
                found.append(pid)
    return found


def kill(pid, number):
    try:
        os.kill(pid, number)
        return True
    except ProcessLookupError:
        return False


class Storm:
    def __init__(self, rng, folder, name, layout, kills):
        self.rng, self.folder, self.name, self.layout, self.left = rng, folder, name, layout, kills
        self.counts = {"worker": 0, "client": 0, "stall": 0}
        self.results = os.path.join(folder, "runs", name)

    def run(self):
        """The last client's summary, or why there is none."""
        arguments = command(self.folder, *self.layout, self.name)
        while True:
            client = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            killed = self.disturb(client)
            out, err = client.communicate(timeout=300)
            if client.returncode == 0:
                return json.loads(out), ""
            if not killed and "funcpipe assemble" in err and arguments[1] == "resume":
                arguments = [jobs.FUNCPIPE, "assemble", self.results, "--json"]  # killed while it made the results
                continue
            if not killed:
                return None, err
            recorded = os.path.isdir(os.path.join(self.results, ".runs")) and any(
                "spec\":{" in open(os.path.join(self.results, ".runs", run, "record.json")).read()
                for run in os.listdir(os.path.join(self.results, ".runs"))
                if os.path.exists(os.path.join(self.results, ".runs", run, "record.json")))
            arguments = ([jobs.FUNCPIPE, "resume", self.results, "--json"] if recorded
                         else command(self.folder, *self.layout, self.name))

    def disturb(self, client):
        """Until the client ends; whether it was killed."""
        while client.poll() is None:
            time.sleep(self.rng.uniform(0.1, 1.2))
            if self.left == 0 or client.poll() is not None:
                time.sleep(0.1)
                continue
            draw = self.rng.random()
            if draw < 0.08:
                self.left -= 1
                self.counts["client"] += 1
                kill(client.pid, signal.SIGKILL)
                return True
            workers = processes_below(client.pid)
            if not workers:
                continue
            victim = self.rng.choice(workers)
            if draw < 0.2:
                if kill(victim, signal.SIGSTOP):
                    self.left -= 1
                    self.counts["stall"] += 1
                    time.sleep(self.rng.uniform(0.2, 2))
                    kill(victim, signal.SIGCONT)
            elif kill(victim, signal.SIGKILL):
                self.left -= 1
                self.counts["worker"] += 1
        return False


def objects_left(results):
    return [os.path.join(where, file) for where, _, files in os.walk(os.path.join(results, "cloud", "objects"))
            for file in files if file != ".lock"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100, help="kills and stalls in all")
    parser.add_argument("--per-job", type=int, default=20, help="of them, those of one job")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    lost, done, number = [], 0, 0
    totals = {"worker": 0, "client": 0, "stall": 0}
    print("| job | layout | workers killed | clients killed | stalls | undisturbed s | in the storm s | weights |")
    print("|-----|--------|----------------|----------------|--------|---------------|----------------|---------|")
    while done < options.kills:
        layout = LAYOUTS[number % len(LAYOUTS)]
        with tempfile.TemporaryDirectory(prefix="funcpipe-storm-") as folder:
            write_data(folder, rng)
            began = time.time()
            calm = subprocess.run(command(folder, *layout, "calm"), capture_output=True, text=True, check=False)
            if calm.returncode != 0:
                sys.exit(f"the undisturbed job failed:\n{calm.stderr}")
            undisturbed = time.time() - began
            storm = Storm(rng, folder, "storm", layout, min(options.per_job, options.kills - done))
            began = time.time()
            result, why = storm.run()
            took = time.time() - began
            if result is None:
                sys.exit(f"job {number} of seed {options.seed} was lost:\n{why}")
            weights = [open(os.path.join(folder, "runs", name, "state_dict.pt"), "rb").read()
                       for name in ("calm", "storm")]
            same = weights[0] == weights[1]
            left = objects_left(storm.results)
        happened = sum(storm.counts.values())
        done += max(happened, 1)
        for what, count in storm.counts.items():
            totals[what] += count
        if happened:
            lost.append((took - undisturbed) / happened)
        print(f"| {number} | {layout[0]}x{layout[1]} | {storm.counts['worker']} | {storm.counts['client']} | "
              f"{storm.counts['stall']} | {undisturbed:.1f} | {took:.1f} | {'same' if same else 'DIFFERENT'} |", flush=True)
        if not same or left:
            sys.exit(f"job {number} of seed {options.seed}: " +
                     ("other weights than undisturbed" if not same else f"objects are left: {left[:3]}"))
        number += 1
    print(f"\n{totals['worker']} workers and {totals['client']} clients were killed, {totals['stall']} workers stopped for "
          f"a while; each cost {statistics.median(lost):.2f} s in the median. All weights are the same to the last bit.")


if __name__ == "__main__":
    main()
