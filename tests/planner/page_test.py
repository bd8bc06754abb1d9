"""Rebuilds what `funcpipe plan --json` predicts from docs/algorithms.md, "Predicting an iteration", alone, and compares.

page_test.py FUNCPIPE FOLDER: the program, and the project's folder. Names below are the page's.
"""

import json
import math
import pathlib
import subprocess
import sys
import tempfile
import tomllib

MIB = 2**20
TOLERANCE = 1e-9
BYTES = {"float32": 4, "float64": 8, "float16": 2, "bfloat16": 2, "int64": 8, "int32": 4, "int16": 2, "int8": 1,
         "uint8": 1, "bool": 1}


def interpolate(points, x):
    if x <= points[0][0]:
        return points[0][1]
    for (x0, y0), (x1, y1) in zip(points, points[1:]):
        if x <= x1:
            return y0 + (y1 - y0) * (x - x0) / (x1 - x0)
    return points[-1][1]


def sizes_of(platform):
    """[(memory in MB, vCPUs)]: docs/formats/platform.md."""
    vcpus, sizes = platform["vcpus"], []
    for mb in platform["memory"]["sizes_mb"]:
        if "counts" in vcpus:
            fitting = [k for k in vcpus["counts"]
                       if vcpus["least_gb_per_vcpu"] <= mb / 1024 / k <= vcpus["most_gb_per_vcpu"]]
        else:
            fitting = [min(mb / vcpus["mb_per_vcpu"], vcpus["most"])]
        sizes += [(mb, k) for k in fitting]
    return sizes


def speed(k, n, efficiency):
    return min(k, 1 + (n - 1) * efficiency)


def limits_cpu(platform):
    return "cpu" in platform["enforce"]


def usable(option, limited):
    return option["vcpus"] if limited else max(option["vcpus"], option["threads"])


def adapted(profile, own, platform):
    """docs/formats/profile.md: "Speed of a vCPU", "Sizes of another platform"."""
    limited, efficiency = limits_cpu(platform), profile["parallel_efficiency"]
    there = sizes_of(platform)

    def offered(option):
        return any(option["memory_mb"] == mb and abs(option["vcpus"] - k) < 0.01 for mb, k in there)

    slower = profile["vcpu_speed"] / platform["vcpus"].get("speed", 1)
    for i, option in enumerate(profile["options"]):
        was, has = usable(option, limits_cpu(own)), usable(option, limited)
        factor = slower * speed(was, option["threads"], efficiency) / speed(has, option["threads"], efficiency)
        option["cold_start"] *= slower * min(1, was) / min(1, has)
        option["update_per_byte"] *= factor
        option["transfer_cpu_per_byte"] *= slower
        option["transfer_cpu_per_request"] *= slower
        for at in profile["micro_batches"]:
            for time in at["times"][i]:
                for key in time:
                    if key != "fits":
                        time[key] *= factor
    if any(offered(option) for option in profile["options"]):
        return profile
    measured = [i for i, option in enumerate(profile["options"]) if option["origin"] == "measured"]
    base = profile["options"][measured[-1]]
    by_vcpus = any(option["origin"] != "measured" and option["threads"] > base["threads"] and
                   option["threads"] == max(1, math.floor(option["vcpus"])) for option in profile["options"])
    for mb, k in there:
        option = dict(base, memory_mb=mb, vcpus=k)
        option["threads"] = max(1, math.floor(k)) if by_vcpus else base["threads"]
        has, was = usable(option, limited), usable(base, limited)
        faster = speed(was, base["threads"], efficiency) / speed(has, option["threads"], efficiency)
        option["cold_start"] *= min(1, was) / min(1, has)
        option["update_per_byte"] *= faster
        profile["options"].append(option)
        for at in profile["micro_batches"]:
            at["times"].append([{key: value if key == "fits" else value * faster for key, value in time.items()}
                                for time in at["times"][measured[-1]]])
    return profile


def at_micro_batch(profile, b):
    """Sizes of each layer and times of each option and layer, at b samples."""
    measured = profile["micro_batches"]
    for at in measured:
        if at["micro_batch"] == b:
            return at
    numbers = [at["micro_batch"] for at in measured]
    high = min(max(sum(n < b for n in numbers), 1), len(measured) - 1)
    upper, lower = measured[high], measured[high - 1] if len(measured) > 1 else None
    larger = [at for at in measured if at["micro_batch"] > b]
    judge = larger[0] if larger else measured[-1]

    def line(x0, low, x1, up):
        return max(0.0, low + (up - low) * (b - x0) / (x1 - x0))

    def size(layer, key):
        low = lower["sizes"][layer][key] if lower else 0
        return math.floor(line(lower["micro_batch"] if lower else 0, low, upper["micro_batch"],
                               upper["sizes"][layer][key]) + 0.5)

    def time(option, layer):
        if judge["times"][option][layer].get("fits") is False:
            return {"fits": False}
        up = upper["times"][option][layer]
        low = lower["times"][option][layer] if lower else {"fits": False}
        if low.get("fits") is False:
            low, x0 = {}, 0
        else:
            x0 = lower["micro_batch"]
        x1 = upper["micro_batch"]
        if up.get("fits") is False:
            up, x1, low, x0 = low, x0, {}, 0
        return {key: line(x0, low.get(key, 0), x1, up.get(key, 0)) for key in ("forward", "backward", "warm_up")}

    layers = range(len(upper["sizes"]))
    return {"sizes": [{key: size(layer, key) for key in upper["sizes"][layer]} for layer in layers],
            "times": [[time(option, layer) for layer in layers] for option in range(len(upper["times"]))]}


def rate(x, w, burst):
    if not burst or burst["bytes"] <= 0 or burst["bytes_per_second"] <= w:
        return w
    q = burst["bytes_per_second"]
    lasts = burst["bytes"] / (q - w)
    return q if x <= q * lasts else x / (lasts + (x - q * lasts) / w)


def predicted(profile, platform, plan, iterations, copies, connections, cost_model):
    model, latency, prices = profile["model"], platform["latency"], platform["prices"]
    burst, store = platform.get("burst"), platform.get("store", {})
    lifetime = platform["limits"]["lifetime_seconds"]
    put_latency, get_latency = latency["put_seconds"], latency["get_seconds"]
    d, batch, b, c = plan["replicas"], plan["global_batch"], plan["micro_batch"], connections
    count = -(-batch // b)
    phi = (batch - (count - 1) * b) / b
    mu = -(-count // d) - (1 - phi if d == 1 or count % d == 1 else 0)
    whole = count - 1 + phi
    flight = mu if plan["order"] == "gpipe" else 1
    at = at_micro_batch(profile, b)
    sizes = sizes_of(platform)
    stages, last_layer = [], len(model["layers"])

    for stage in plan["stages"]:
        first, end = stage["first_layer"], stage["end_layer"]
        # Its size, as the profile and the platform have it.
        j, option = next((j, option) for j, option in enumerate(profile["options"])
                         if option["memory_mb"] == stage["memory_mb"] and
                         (not stage.get("vcpus") or abs(option["vcpus"] - stage["vcpus"]) < 0.01))
        mb, k = next(size for size in sizes
                     if size[0] == option["memory_mb"] and abs(size[1] - option["vcpus"]) < 0.01)
        bandwidth = platform["bandwidth"]
        uplink = interpolate(bandwidth["uplink_bytes_per_second"], mb) if "uplink_bytes_per_second" in bandwidth \
            else math.inf
        downlink = interpolate(bandwidth["downlink_bytes_per_second"], mb) if "downlink_bytes_per_second" in bandwidth \
            else math.inf

        # Bytes.
        inside = range(first, end)
        parameters = trainable = tied = 0
        for index, parameter in enumerate(model["parameters"]):
            users = [i for i, layer in enumerate(model["layers"]) if index in layer["parameters"]]
            here = [i for i in users if i in inside]
            if not here:
                continue
            size = math.prod(parameter["shape"]) * BYTES[parameter["dtype"]]
            parameters += size
            if parameter["trainable"]:
                trainable += size
                if len(here) < len(users):
                    tied += size
        buffers = sum(model["layers"][i]["buffer_bytes"] for i in inside)
        has_before, has_after = first > 0, end < last_layer
        into = at["sizes"][first - 1]["border"] if has_before else 0
        into_g = at["sizes"][first - 1]["border_gradient"] if has_before else 0
        out = at["sizes"][end - 1]["border"] if has_after else 0
        out_g = at["sizes"][end - 1]["border_gradient"] if has_after else 0
        synced = trainable if d > 1 else 0

        # Traffic.
        down_once = 2 * synced * (d - 1) / d + tied
        up, all_up = mu * (out + into_g) + synced + tied, whole * (out + into_g) + d * (synced + tied)
        down, all_down = mu * (into + out_g) + down_once, whole * (into + out_g) + d * down_once
        puts = count * (has_after + (into_g > 0)) + d * d * (synced > 0) + d * (tied > 0)
        gets = 2 * (count * (has_before + (out_g > 0)) + 2 * d * (d - 1) * (synced > 0) + d * (tied > 0))
        reports = 0 if has_after else d / 10
        u, v = rate(up, uplink, burst), rate(down, downlink, burst)

        # Lane tasks.
        n = option["threads"]
        free = k if limits_cpu(platform) else max(k, n)
        share = (1 - min(max(free - n, 0), 1)) / min(free, 1)

        def handling(x, r):
            return share * (x * option["transfer_cpu_per_byte"] + r * option["transfer_cpu_per_request"])

        def passage(x, w, t):
            return t + x / w

        def pace(x, w, t):
            return max(x / w, (t + x / w) / c)

        times = at["times"][j]
        forward = sum(times[i]["forward"] for i in inside) + handling(into + out, has_before + has_after)
        backward = sum(times[i]["backward"] for i in inside) + handling(into_g + out_g, (into_g > 0) + (out_g > 0))
        before = after = forward_before = backward_before = forward_after = backward_after = 0
        if has_before:
            before, forward_before = passage(into, v, get_latency), pace(into, v, get_latency)
            if into_g > 0:
                before += passage(into_g, u, put_latency)
                backward_before = pace(into_g, u, put_latency)
        if has_after:
            after, forward_after = passage(out, u, put_latency), pace(out, u, put_latency)
            if out_g > 0:
                after += passage(out_g, v, get_latency)
                backward_after = pace(out_g, v, get_latency)

        # Synchronisation and update.
        sync = 0
        if synced > 0:
            x, waves = trainable / d, math.ceil((d - 1) / c)
            if plan["sync"] == "three-phase":
                sync = (d - 1) * x / u + (d - 1) * x / v + x / u + (d - 1) * x / v + (waves + 1) * put_latency + \
                    2 * waves * get_latency
            else:
                sync = x / u + (d - 2) * max(x / u, x / v, put_latency / 2, get_latency / 2) + x / v + x / u + \
                    (d - 1) * x / v + 2 * put_latency + 2 * get_latency
        update = trainable * option["update_per_byte"]
        tail = sync + handling(3 * synced, 0) + update
        if tied > 0:
            tail += passage(tied, u, put_latency) + passage(tied, v, get_latency)

        # Memory.
        kept = flight * (sum(at["sizes"][i]["activations"] for i in inside) + into)
        computing = kept + min(0.45 * kept, 256 * MIB) + max(at["sizes"][i]["working"] for i in inside)
        packing = 3 * (parameters + buffers)
        peak = profile["base_memory"] + 20 * MIB + parameters + trainable * (1 + copies) + buffers
        shard = (int(trainable) + d - 1) // d
        elements = max(int(trainable) // 4 // d, 1)
        parts = max(5, (2 ** 20 + elements - 1) // elements)
        staged = shard * (min(d - 1, parts) + min(d - 1, 4))
        staging = min(4.8 * trainable * (d - 1) / d, staged + 64 * MIB)
        training = computing + min(flight, c) * out_g + staging + tied
        peak += max(training, packing) + min(training, packing, 160 * MIB)
        peak += 12 * MIB if d > 1 or has_before or has_after else 0

        # Dollars.
        price = prices["gb_second"] * mb / 1024 + prices.get("vcpu_second", 0) * k
        warm_up = sum(times[i].get("warm_up", 0) for i in inside)

        def upload(x):
            return x / rate(x, uplink, burst)

        def download(x):
            return x / rate(x, downlink, burst)

        start = option["cold_start"] + 3 * get_latency + download(parameters + buffers) + warm_up
        finish = put_latency + upload(parameters + buffers)
        snapshot = parameters + trainable * copies + buffers
        restart = option["cold_start"] + put_latency + 2 * get_latency + upload(snapshot) + download(snapshot) + warm_up
        byte_second = prices["storage_gb_month"] / 2**30 / (30 * 24 * 3600)
        dollars_a_second, fixed = d * price, 0
        if cost_model == "bill":
            dollars_a_second = d * price * (1 + restart / lifetime)
            dollars_a_second += d * (prices["invocation"] + prices["put"] + 3 * prices["get"]) / lifetime
            dollars_a_second += 2 * all_up * byte_second
            fixed = (puts + reports) * prices["put"] + gets * prices["get"]
            fixed += (d * (start * price + prices["invocation"] + 3 * prices["get"]) + finish * price +
                      prices["put"]) / iterations
        stages.append(dict(locals()))

    # The period: from the compute lane of stage k to the last stage and back.
    period = 0
    for k, stage in enumerate(stages):
        once = stage["after"] + stage["forward"] + stage["backward"]
        forward = max(stage["forward"], stage["forward_after"])
        backward = max(stage["backward"], stage["backward_after"])
        for other in stages[k + 1:]:
            once += other["before"] + other["after"] + other["forward"] + other["backward"]
            forward = max(forward, other["forward"], other["forward_before"], other["forward_after"])
            backward = max(backward, other["backward"], other["backward_before"], other["backward_after"])
        period = max(period, once + (mu - 1) * (forward + backward) + stage["tail"],
                     stage["up"] / stage["uplink"], stage["down"] / stage["downlink"])

    def total(key):
        return sum(stage[key] for stage in stages)

    all_puts = total("puts") + total("reports")
    for key, asked in (("upload_bytes_per_second", total("all_up")), ("download_bytes_per_second", total("all_down")),
                       ("puts_per_second", all_puts), ("gets_per_second", total("gets")),
                       ("requests_per_second", all_puts + total("gets"))):
        if key in store:
            period = max(period, asked / store[key])

    # The job.
    start_up = max(stage["start"] for stage in stages)
    restarts = math.floor((start_up + iterations * period) / lifetime)
    finish = max(stage["finish"] for stage in stages)
    training = start_up + iterations * period + restarts * max(stage["restart"] for stage in stages) + finish
    put = round(all_puts * iterations + sum(d * restarts + 1 for _ in stages))
    get = round(total("gets") * iterations + sum(3 * d * (1 + restarts) for _ in stages))
    invocations = sum(d * (1 + restarts) for _ in stages)
    storage = 2 * total("all_up") * training * stages[0]["byte_second"]
    seconds = [d * (training - finish) + stage["finish"] for stage in stages]
    dollars = sum(s * stage["price"] for s, stage in zip(seconds, stages)) + invocations * prices["invocation"] + \
        put * prices["put"] + get * prices["get"] + storage
    return {
        "iteration_seconds": period,
        "iteration_dollars": period * total("dollars_a_second") + total("fixed"),
        "start_up_seconds": start_up,
        "training_seconds": training,
        "dollars": dollars,
        "storage_dollars": storage,
        "invocations": invocations,
        "gb_seconds": sum(stage["mb"] / 1024 * s for s, stage in zip(seconds, stages)),
        "vcpu_seconds": sum(stage["k"] * s for s, stage in zip(seconds, stages)),
        "put": put,
        "get": get,
        "stages": [{
            "forward_seconds": stage["forward"],
            "backward_seconds": stage["backward"],
            "tail_seconds": stage["tail"],
            "computing_seconds": mu * (stage["forward"] + stage["backward"]) + stage["update"],
            "uploading_seconds": stage["up"] / stage["u"],
            "downloading_seconds": stage["down"] / stage["v"],
            "synchronised_bytes": stage["synced"],
            "memory_bytes": math.ceil(stage["peak"]),
        } for stage in stages],
    }


def differences(expected, found, path=""):
    if isinstance(expected, dict):
        for key, value in expected.items():
            yield from differences(value, found[key], f"{path}/{key}")
    elif isinstance(expected, list):
        for i, value in enumerate(expected):
            yield from differences(value, found[i], f"{path}/{i}")
    else:
        # Whole numbers are rounded from figures that may differ in the last bit.
        slack = 1 if isinstance(found, int) else 0
        yield path, abs(expected - found) - slack <= TOLERANCE * max(abs(expected), abs(found)), expected, found


def main(funcpipe, folder):
    folder = pathlib.Path(folder)
    cases = [
        ("resnet101", "aws-lambda", 64, []),
        ("resnet101", "aws-lambda", 13, ["--micro-batch", "3,5", "--replicas", "1-6"]),
        ("resnet101", "aws-lambda", 37, ["--micro-batch", "2,8", "--replicas", "2,4", "--cost-model", "paper"]),
        ("resnet101", "shaped-70MBps", 10, ["--micro-batch", "4", "--replicas", "1,3"]),
        ("resnet101", "local", 16, ["--optimizer", "adam"]),
        ("bert-large", "aws-lambda-70MBps", 16, ["--iterations", "2000", "--replicas", "1,2,4"]),
        ("bert-large", "alibaba-fc", 24, ["--micro-batch", "1,4", "--replicas", "2,5"]),
        ("amoebanet-d18", "aws-lambda-3gbit", 256, ["--micro-batch", "4", "--replicas", "16,32", "--layers", "10"]),
    ]
    compared = wrong = 0
    for name, platform_name, batch, more in cases:
        arguments = [funcpipe, "plan", str(folder / "profiles" / f"{name}.json"), "--platform", platform_name, "--batch",
                     str(batch), "--play", "0", "--time-limit", "2", "--json", *more]
        output = subprocess.run(arguments, check=True, capture_output=True, text=True, cwd=tempfile.gettempdir())
        said = json.loads(output.stdout)
        profile = json.loads((folder / "profiles" / f"{name}.json").read_text())
        platforms = {key: tomllib.loads((folder / "platforms" / f"{key}.toml").read_text())
                     for key in (platform_name, profile["platform"])}
        platform = platforms[platform_name]
        profile = adapted(profile, platforms[profile["platform"]], platform)
        copies = {"sgd": 0, "momentum": 1, "adam": 2}[
            more[more.index("--optimizer") + 1] if "--optimizer" in more else profile["optimizer"]]
        for point in said["frontier"]:
            figures = predicted(profile, platform, point["plan"], said["iterations"], copies, 4, said["cost_model"])
            for path, same, expected, found in differences(figures, point["prediction"]):
                compared += 1
                if same:
                    continue
                wrong += 1
                print(f"{name} on {platform_name}, batch {batch}: {path}: the page says {expected}, plan says {found}")
            if wrong > 20:
                return 1
        print(f"{name} on {platform_name}, batch {batch}: {len(said['frontier'])} plans compared")
    print(f"{compared} figures compared, {wrong} differ")
    return 1 if wrong or compared < 1000 else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
