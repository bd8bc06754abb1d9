"""Writes NAME.script.pt, NAME.trace.pt and NAME.plain.pt to a folder: models whose forward holds numbers, lists, dictionaries and
other things that are no tensors, and what one step of PyTorch itself gives: output, gradients, buffers."""
import sys
from collections import OrderedDict
from typing import Dict, List, NamedTuple, Optional, Tuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

folder = sys.argv[1]
torch.set_num_threads(1)
MODELS = {}


def rows():
    return torch.randn(4, 8)


def images():
    return torch.randn(4, 3, 8, 8)


def tokens():
    return torch.randint(0, 20, (4, 6))


def model(example, trace=False):
    def add(cls):
        MODELS[cls.__name__] = (cls, example, trace)
        return cls
    return add


class Three(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(8, 16), nn.Linear(16, 16), nn.Linear(16, 4)


class Convolutions(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = (nn.Conv2d(i, 8, 3, padding=1) for i in (3, 8, 8))
        self.o = nn.Linear(8 * 64, 4)


# Numbers that are live at a cut.
@model(images, trace=True)
class BatchSize(Convolutions):
    def forward(self, x):
        n = x.shape[0]
        h = torch.relu(self.c(torch.relu(self.b(torch.relu(self.a(x))))))
        return self.o(h.view(n, -1))


@model(images, trace=True)
class AllSizes(Convolutions):
    def forward(self, x):
        n, _, height, width = x.shape
        h = torch.relu(self.b(torch.relu(self.a(x))))
        h = self.c(h.view(n, 8, height * width).view(n, 8, height, width)) * (height / 4)
        return self.o(h.view(n, 8 * height * width))


@model(images, trace=True)
class InputSize(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.o = nn.Conv2d(3, 8, 3, 2, 1), nn.Conv2d(8, 8, 3, padding=1), nn.Conv2d(8, 4, 1)

    def forward(self, x):
        size = x.shape[-2:]
        h = self.o(torch.relu(self.b(torch.relu(self.a(x)))))
        return F.interpolate(h, size=size, mode="bilinear", align_corners=False)


@model(rows)
class Scalars(Three):
    def forward(self, x):
        mean = float(x.mean())
        positive = bool(x.sum() > 0)
        count = int((x > 0).sum())
        limit: Optional[int] = None
        if positive:
            limit = count
        h = torch.relu(self.b(torch.relu(self.a(x)))) * mean
        if limit is not None:
            h = h + limit
        elif not positive:
            h = h - count
        return self.c(h)


@model(rows)
class Item(Three):
    def forward(self, x):
        scale = x.abs().max().item()
        return self.c(torch.relu(self.b(torch.relu(self.a(x)))) / scale)


@model(rows)
class Lists(Three):
    def forward(self, x):
        shape = x.shape
        weights: List[float] = [float(x[0, 0]), float(x[0, 1]), 0.5]
        flags = [bool(x[0, 0] > 0), bool(x[1, 0] > 0)]
        h = torch.relu(self.b(torch.relu(self.a(x))))
        for weight in weights:
            h = h * weight
        if flags[0]:
            h = h + 1
        return self.c(h) + torch.zeros(shape)[:, :4]


@model(rows)
class Placed(Three):
    def forward(self, x):
        device, dtype = x.device, x.dtype
        h = torch.relu(self.b(torch.relu(self.a(x))))
        return self.c(h + torch.ones(16, device=device, dtype=dtype))


# Containers.
class Blocks(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = nn.ModuleList([nn.Linear(8, 8) for _ in range(4)])
        self.out = nn.Linear(32, 4)


@model(rows, trace=True)
class Appended(Blocks):
    def forward(self, x):
        features: List[Tensor] = []
        for block in self.blocks:
            x = torch.relu(block(x))
            features.append(x)
        return self.out(torch.cat(features, 1))


@model(rows, trace=True)
class Reordered(Blocks):
    def forward(self, x):
        features: List[Tensor] = []
        for block in self.blocks:
            x = torch.relu(block(x))
            features.insert(0, x)
        features.reverse()
        last = features.pop()
        first = features.pop(0)
        features[1] = first * 2
        features += [last]
        features.extend([first, last * 3])
        del features[0]
        return self.out(torch.cat(features, 1)) + len(features)


@model(rows)
class KeptWhileChanged(Blocks):
    """What was made of a list before it changed stays as it was; an alias of it does not."""

    def forward(self, x):
        features: List[Tensor] = []
        alias = features
        for block in self.blocks:
            x = torch.relu(block(x))
            features.append(x)
        early = torch.cat(features[:2], 1)
        alias.reverse()
        features[0] = features[0] * 2
        return self.out(torch.cat([early, alias[0], features[3]], 1))


@model(rows, trace=True)
class Filled(Blocks):
    def forward(self, x):
        found: Dict[str, Tensor] = {}
        found["input"] = x
        for i, block in enumerate(self.blocks):
            x = torch.relu(block(x))
            found[str(i)] = x
        found["1"] = found["1"] * 2
        parts: List[Tensor] = []
        for name, value in found.items():
            if name != "input":
                parts.append(value)
        return self.out(torch.cat(parts, 1))


@model(rows)
class ChangedInBranch(Blocks):
    def forward(self, x):
        features = [x]
        for block in self.blocks:
            x = torch.relu(block(x))
            if bool(x.sum() > 0):
                features.append(x)
        features.reverse()
        total = features[0]
        for feature in features:
            total = total + feature
        return self.out(torch.cat([total, x, x, x], 1))


@model(images, trace=True)
class Skips(nn.Module):
    """A U-Net that keeps its skip connections in a list."""

    def __init__(self):
        super().__init__()
        self.down = nn.ModuleList([nn.Conv2d(i, 8, 3, padding=1) for i in (3, 8, 8)])
        self.norms = nn.ModuleList([nn.BatchNorm2d(8) for _ in range(3)])
        self.up = nn.ModuleList([nn.Conv2d(16, 8, 3, padding=1) for _ in range(3)])

    def forward(self, x):
        skips: List[Tensor] = []
        for conv, norm in zip(self.down, self.norms):
            x = torch.relu(norm(conv(x)))
            skips.append(x)
            x = F.max_pool2d(x, 2)
        for conv in self.up:
            skip = skips.pop()
            x = F.interpolate(x, size=skip.shape[2:], mode="nearest")
            x = torch.relu(conv(torch.cat([x, skip], 1)))
        return x


@model(rows)
class Nested(Three):
    def step(self, x, state: Tuple[Tensor, Tuple[int, Tensor]]):
        h, (count, total) = state
        return torch.relu(h) + x.mean(), (count + 1, total + h.mean())

    def forward(self, x):
        n = x.shape[0]
        state = (self.a(x), (n, x))
        state = self.step(x, state)
        state = self.step(x, (self.b(state[0]), state[1]))
        return self.c(state[0]) * state[1][0] + state[1][1].mean()


@model(rows)
class Chunks(Three):
    def forward(self, x):
        parts = self.a(x).chunk(2, 1)
        h = self.b(torch.cat([parts[1], parts[0]], 1))
        return self.c(torch.relu(h) + torch.cat([parts[0], parts[0]], 1))


# Outputs.
@model(rows)
class OptionalOutput(Three):
    def forward(self, x) -> Tuple[Tensor, Optional[Tensor]]:
        h = torch.relu(self.a(x))
        aux: Optional[Tensor] = None
        if self.training:
            aux = h
        return self.c(torch.relu(self.b(h))), aux


@model(rows)
class OptionalFirst(Three):
    def forward(self, x) -> Optional[Tensor]:
        h = torch.relu(self.a(x))
        if bool(h.sum() > -1):
            return self.c(torch.relu(self.b(h)))
        return None


@model(rows)
class DictOutput(Three):
    """The auxiliary head's statistics move though nothing is trained on its output."""

    def __init__(self):
        super().__init__()
        self.aux, self.norm = nn.Linear(16, 4), nn.BatchNorm1d(4)

    def forward(self, x) -> Dict[str, Tensor]:
        result: Dict[str, Tensor] = OrderedDict()
        h = torch.relu(self.a(x))
        result["out"] = self.c(torch.relu(self.b(h)))
        result["aux"] = self.norm(self.aux(h))
        return result


class Pair(NamedTuple):
    logits: Tensor
    hidden: Tensor


@model(rows)
class NamedOutput(Three):
    def forward(self, x):
        h = torch.relu(self.b(torch.relu(self.a(x))))
        return Pair(self.c(h), h)


@model(rows, trace=True)
class ReversedOutput(Three):
    def forward(self, x):
        h = torch.relu(self.a(x))
        outputs = [h, self.c(torch.relu(self.b(h)))]
        outputs.reverse()
        return outputs


# Recurrent networks.
class Recurrent(nn.Module):
    def __init__(self, cell, width=16):
        super().__init__()
        self.e, self.r, self.o = nn.Embedding(20, 8), cell, nn.Linear(width, 4)


@model(tokens, trace=True)
class Lstm(Recurrent):
    def __init__(self):
        super().__init__(nn.LSTM(8, 16, num_layers=2, batch_first=True))

    def forward(self, x):
        out, _ = self.r(self.e(x))
        return self.o(out[:, -1])


@model(tokens, trace=True)
class LstmBothWays(Recurrent):
    def __init__(self):
        super().__init__(nn.LSTM(8, 8, batch_first=True, bidirectional=True, proj_size=4), width=8)

    def forward(self, x):
        out, (h, c) = self.r(self.e(x))
        return self.o(out[:, -1]) + c.mean()


@model(tokens)
class LstmPacked(Recurrent):
    def __init__(self):
        super().__init__(nn.LSTM(8, 16, batch_first=True))

    def forward(self, x):
        lengths = (x > 3).sum(1).clamp(min=1)
        packed = nn.utils.rnn.pack_padded_sequence(self.e(x), lengths, batch_first=True, enforce_sorted=False)
        out, _ = self.r(packed)
        padded, _ = nn.utils.rnn.pad_packed_sequence(out, batch_first=True)
        return self.o(padded[:, 0])


@model(tokens, trace=True)
class GruWithState(Recurrent):
    def __init__(self):
        super().__init__(nn.GRU(8, 16, batch_first=True))

    def forward(self, x):
        state = torch.zeros(1, x.size(0), 16)
        out, last = self.r(self.e(x), state)
        return self.o(last[0])


@model(tokens)
class RnnByHand(Recurrent):
    def __init__(self):
        super().__init__(nn.RNN(8, 16))
        self.step = nn.LSTMCell(16, 16)

    def forward(self, x):
        out, _ = self.r(self.e(x).transpose(0, 1))
        h, c = torch.zeros(x.size(0), 16), torch.zeros(x.size(0), 16)
        outputs: List[Tensor] = []
        for i in range(out.size(0)):
            h, c = self.step(out[i], (h, c))
            outputs += [h]
        return self.o(torch.stack(outputs)[-1])


# What PyTorch runs beside forward.
def shrink(self, input: Tuple[Tensor], output: Tensor):
    return output * 0.1


def shift(self, input: Tuple[Tensor]) -> Tensor:
    return input[0] + 1


def look(self, input: Tuple[Tensor], output: Tensor) -> None:
    assert output.dim() == 2


@model(rows)
class Hooked(Three):
    def __init__(self):
        super().__init__()
        self.register_forward_pre_hook(shift)
        self.register_forward_hook(shrink)
        self.register_forward_hook(look)
        self.b.register_forward_hook(shrink)
        self.b.register_forward_pre_hook(shift)

    def forward(self, x):
        return self.c(torch.relu(self.b(torch.relu(self.a(x)))))


@model(rows)
class Autocast(Three):
    def forward(self, x):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            h = torch.relu(self.a(x))
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=False):
                h = self.b(h.float())
            h = self.c(torch.relu(h))
        return h.float()


@model(rows)
class WithoutGradient(Three):
    def forward(self, x):
        with torch.no_grad():
            h = torch.relu(self.a(x))
        return self.c(torch.relu(self.b(h)))


@model(rows)
class Forked(Three):
    def half(self, x):
        return self.b(torch.relu(x))

    def forward(self, x):
        h = self.a(x)
        left = torch.jit.fork(self.half, h)
        right = torch.jit.fork(self.half, h * 2)
        return self.c(torch.relu(torch.jit.wait(left) + torch.jit.wait(right)))


@model(rows)
class ForkedInLoops(Blocks):
    def forward(self, x):
        waiting: List[torch.jit.Future[Tensor]] = []
        for block in self.blocks:
            waiting.append(torch.jit.fork(block, x))
        parts: List[Tensor] = []
        for one in waiting:
            parts.append(torch.relu(torch.jit.wait(one)))
        again = [torch.jit.fork(self.blocks[0], part) for part in parts]
        return self.out(torch.cat([torch.jit.wait(one) for one in again], 1))


@model(rows)
class Prints(Three):
    def forward(self, x):
        print(x.shape)
        h = torch.relu(self.a(x))
        print("hidden", h.shape[1])
        return self.c(torch.relu(self.b(h)))


# Control flow.
@model(rows)
class OnShape(Three):
    def forward(self, x):
        if x.dim() != 2:
            raise ValueError("two dimensions are wanted")
        h = torch.relu(self.a(x))
        if x.shape[0] > 2:
            h = h * 2
        n = 0
        while n < x.shape[0]:
            h = h + n
            n += 1
        return self.c(torch.relu(self.b(h)) + n)


@model(rows)
class SharedInLoop(Three):
    def forward(self, x):
        h = self.a(x)
        states: List[Tensor] = []
        for i in range(2):
            h = torch.relu(self.b(h))
            states.append(h)
        return self.c(torch.stack(states).sum(0))


class Attributes(nn.Module):
    weights: List[Tensor]
    table: Dict[str, Tensor]

    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(8, 16, bias=False), nn.Linear(16, 16), nn.Linear(16, 4)
        self.norm: Optional[nn.Module] = None
        self.scale: Optional[Tensor] = None
        self.register_buffer("shift", torch.full((16,), 0.5))
        self.weights = [torch.full((16,), 0.5), torch.full((16,), 2.0)]
        self.table = {"half": torch.full((16,), 0.5)}
        self.sizes = [16, 4]

    def forward(self, x):
        h = self.a(x)
        if self.scale is not None:
            h = h * self.scale
        if self.shift is not None:
            h = h + self.shift
        for weight in self.weights:
            h = h * weight
        h = torch.relu(self.b(h)) * self.table["half"]
        return self.c(h.view(-1, self.sizes[0]))


model(rows)(Attributes)


@model(rows)
class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.m, self.o = nn.Linear(8, 16), nn.MultiheadAttention(16, 2, batch_first=True), nn.Linear(16, 4)

    def forward(self, x):
        n = x.shape[0]
        h = self.a(x).view(n, 1, 16)
        h, weights = self.m(h, h, h)
        return self.o(h.reshape(n, -1))


@model(rows)
class ResidualInPlace(Three):
    """A chain of sums into one tensor."""

    def forward(self, x):
        h = self.a(x)
        h += self.b(torch.relu(h))
        h += torch.tanh(self.b(torch.sigmoid(h)))
        h -= 0.5
        return self.c(h)


@model(rows)
class SumsInHalf(Three):
    """In place the sum has the type of what is written, not the common type."""

    def forward(self, x):
        half = torch.relu(self.a(x)).to(torch.bfloat16)
        wide = torch.sigmoid(self.b(half.float()))
        total = half * 1.5
        total += wide
        total -= wide * 0.25
        total *= wide
        return self.c(total.float())


@model(rows)
class ComparedInPlace(Three):
    """In place a comparison gives numbers, not bool."""

    def forward(self, x):
        h = self.a(x)
        mask = h.detach().clone().gt_(0)
        near = h.detach().clone().lt_(0.1)
        h = h * (1 - mask * 0.5)
        return self.c(torch.relu(self.b(h)) * (2 - near))


@model(rows)
class Differentiated(nn.Module):
    """A force: the gradient of an energy by an inner tensor, itself differentiated afterwards."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.c, self.d = nn.Linear(8, 16), nn.Linear(16, 16), nn.Linear(16, 4), nn.Linear(16, 1)

    def forward(self, x):
        h = torch.tanh(self.a(x))
        u = torch.tanh(self.b(h))
        energy = self.d(u).sum() + (h * h).sum()
        force = torch.autograd.grad([energy], [h], create_graph=True, retain_graph=True)[0]
        assert force is not None
        return self.c(h - force)


@model(rows)
class Switched(Three):
    def forward(self, x):
        before = torch.is_grad_enabled()
        torch.set_grad_enabled(False)
        h = torch.relu(self.a(x))
        h = torch.relu(self.b(h))
        torch.set_grad_enabled(before)
        return self.c(h)


@model(rows)
class ReturnsEarly(Three):
    def forward(self, x):
        h = torch.relu(self.a(x))
        if x.shape[0] > 2:
            if x.shape[1] > 100:
                return self.c(h)
        h = torch.relu(self.b(h))
        return self.c(h)


@model(tokens)
class EncoderLayers(nn.Module):
    def __init__(self):
        super().__init__()
        self.e = nn.Embedding(20, 8)
        self.t = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True), 2)
        self.o = nn.Linear(8, 4)

    def forward(self, x):
        return self.o(self.t(self.e(x)).mean(1))


@model(rows)
class PrintsLists(Three):
    def forward(self, x):
        sizes = [x.shape[0]]
        assert sizes[0] > 0, f"bad sizes {sizes}"
        h = torch.relu(self.a(x))
        sizes.append(2)
        print("sizes", sizes, "{} {}".format("of", len(sizes)))
        seen: Dict[str, int] = {}
        print(seen)
        seen["n"] = sizes[1]
        return self.c(torch.relu(self.b(h)) * seen["n"])


def tensor_of(output):
    if isinstance(output, dict):
        return next(iter(output.values()))
    return output[0] if isinstance(output, (tuple, list)) else output


class Plain(nn.Module):
    def __init__(self, tensors):
        super().__init__()
        for name, tensor in tensors.items():
            self.register_buffer(name.replace(".", "__"), tensor.detach().clone())


def loss_of(y):
    loss = torch.zeros(()) + (y * y).mean()
    return loss + y.mean() * 0.1


def write(name):
    cls, example, trace = MODELS[name]
    torch.manual_seed(3)
    net = cls().train()
    x = example()
    torch.jit.script(net).save(f"{folder}/{name}.script.pt")
    if trace:
        before = {key: value.clone() for key, value in net.state_dict().items()}
        torch.jit.trace(net, x, check_trace=False, strict=False).save(f"{folder}/{name}.trace.pt")
        net.load_state_dict(before)
        if any(key.endswith("running_mean") for key in before):  # tracing has run forward
            fresh = torch.jit.load(f"{folder}/{name}.trace.pt")
            fresh.load_state_dict(before)
            fresh.save(f"{folder}/{name}.trace.pt")
    y = tensor_of(net(x))
    loss_of(y).backward()
    plain = {"x": x, "y": y}
    plain |= {"gradient." + key: p.grad for key, p in net.named_parameters() if p.grad is not None}
    plain |= {"buffer." + key: b for key, b in net.named_buffers()}
    torch.jit.script(Plain(plain)).save(f"{folder}/{name}.plain.pt")


for name in sys.argv[2:] or MODELS:
    write(name)
