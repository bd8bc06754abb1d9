"""Writes the models of state_test.cpp into the folder given, as NAME.pt: input float32 [N, 8] or tokens int64 [N, 8]."""
import sys

import torch
import torch.nn.functional as F
from torch import Tensor, nn

folder = sys.argv[1]
torch.set_num_threads(1)
models = {}


def scripted(cls):
    models[cls.__name__] = (cls, None)
    return cls


def traced(example):
    def add(cls):
        models[cls.__name__] = (cls, example)
        return cls
    return add


NUMBERS, TOKENS = torch.randn(2, 8), torch.zeros(2, 8, dtype=torch.int64)


class Three(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(8, 16), nn.Linear(16, 16), nn.Linear(16, 4)


# State that forward writes to.


@scripted
class SharedNorm(Three):
    """One BatchNorm for two of three places."""

    def __init__(self):
        super().__init__()
        self.n, self.d = nn.BatchNorm1d(16), nn.Linear(16, 16)

    def forward(self, x):
        x = torch.relu(self.n(self.b(torch.relu(self.n(self.a(x))))))
        return self.c(torch.relu(self.d(x)))


@scripted
class CumulativeNorm(Three):
    """Its running mean is that of all batches: how far it moves depends on a counter."""

    def __init__(self):
        super().__init__()
        self.n, self.m = nn.BatchNorm1d(16, momentum=None), nn.BatchNorm1d(16)

    def forward(self, x):
        return self.c(torch.relu(self.m(self.b(torch.relu(self.n(self.a(x)))))))


@scripted
class Hidden(Three):
    def __init__(self):
        super().__init__()
        self.register_buffer("h", torch.zeros(2, 16))

    def forward(self, x):
        z = torch.tanh(self.b(torch.relu(self.a(x) + self.h)))
        self.h = z.detach()
        return self.c(z)


@scripted
class Gated(Three):
    """The old state is needed by backward and again after the new one is there."""

    def __init__(self):
        super().__init__()
        self.register_buffer("h", torch.ones(2, 16))

    def forward(self, x):
        old = self.h
        z = torch.tanh(self.b(torch.relu(self.a(x) * self.h)))
        self.h = z.detach()
        return self.c(z * old + self.h)


@scripted
class Switched(Three):
    """Assigned in one branch, changed in place in the other."""

    def __init__(self):
        super().__init__()
        self.register_buffer("h", torch.ones(16))

    def forward(self, x):
        z = torch.relu(self.a(x) + self.h)
        if self.training:
            if bool(z.sum() > 9):
                self.h = torch.sigmoid(z.detach().mean(0)) + 0.5
            else:
                self.h.mul_(0.9)
        return self.c(torch.tanh(self.b(z / (1 + self.h))))


@scripted
class RunningScale(Three):
    def __init__(self):
        super().__init__()
        self.register_buffer("scale", torch.ones(1))

    def forward(self, x):
        if self.training:
            self.scale.mul_(0.9).add_(0.1 * x.abs().mean())
        return self.c(torch.relu(self.b(torch.relu(self.a(x)) / self.scale)))


@scripted
class Steps(Three):
    """A counter read at both ends."""

    def __init__(self):
        super().__init__()
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

    def forward(self, x):
        self.steps += 1
        x = torch.relu(self.b(torch.relu(self.a(x / self.steps))))
        return self.c(x) / float(self.steps)


@scripted
class Queue(Three):
    """Rows of a buffer, written at a place that moves on."""

    def __init__(self):
        super().__init__()
        self.register_buffer("queue", torch.randn(6, 16))
        self.register_buffer("at", torch.zeros(1, dtype=torch.int64))

    def forward(self, x):
        x = self.a(x)
        queue = self.queue.clone()
        near = torch.softmax(x @ queue.t(), 1) @ queue
        if self.training:
            first = int(self.at)
            self.queue[first:first + 2] = x.detach()
            self.at[0] = (first + 2) % 6
        return self.c(torch.relu(self.b(torch.relu(x + near))))


@scripted
class CodeBook(Three):
    def __init__(self):
        super().__init__()
        self.register_buffer("codes", torch.randn(5, 16))

    def forward(self, x):
        x = torch.relu(self.a(x))
        nearest = torch.cdist(x, self.codes).argmin(1)
        quantised = x + (self.codes[nearest] - x).detach()
        if self.training:
            mean = x.detach().mean(0)
            self.codes.mul_(0.9).add_(0.1 * mean)
        return self.c(torch.relu(self.b(quantised * x)))


@scripted
class Momentum(Three):
    """Frozen weights that follow the trained ones."""

    def __init__(self):
        super().__init__()
        self.k = nn.Linear(8, 16)
        for p in self.k.parameters():
            p.requires_grad_(False)

    def forward(self, x):
        with torch.no_grad():
            self.k.weight.mul_(0.9).add_(self.a.weight * 0.1)
            self.k.bias.mul_(0.9).add_(self.a.bias * 0.1)
            k = torch.relu(self.k(x))
        q = torch.relu(self.a(x)) * k
        return self.c(torch.relu(self.b(q)))


@scripted
class LastSeen(Three):
    """Kept for somebody to look at, with its graph; no forward reads it."""

    def __init__(self):
        super().__init__()
        self.register_buffer("seen", torch.zeros(2, 16))

    def forward(self, x):
        z = torch.relu(self.b(torch.relu(self.a(x))))
        self.seen = z
        return self.c(z)


@traced(TOKENS)
class Clamped(nn.Module):
    """Embedding renormalises rows of its trained weight in forward (scripted it would not); the head has the same weight."""

    def __init__(self):
        super().__init__()
        self.e, self.b = nn.Embedding(20, 16, max_norm=1.0), nn.Linear(16, 16)

    def forward(self, x):
        return F.linear(torch.relu(self.b(self.e(x).mean(1))), self.e.weight)


@traced(TOKENS)
class ClampedAlone(nn.Module):
    def __init__(self):
        super().__init__()
        self.e, self.b, self.c = nn.Embedding(20, 16, max_norm=1.0), nn.Linear(16, 16), nn.Linear(16, 20)

    def forward(self, x):
        return self.c(torch.relu(self.b(self.e(x).mean(1))))


@scripted
class WrittenData(Three):
    """What is written through `.data` leaves no trace in a tensor's version."""

    def forward(self, x):
        self.b.weight.data.clamp_(-0.1, 0.1)
        y = self.c(torch.relu(self.b(torch.relu(self.a(x)))))
        self.c.weight.data.mul_(0.9)
        return y


@scripted
class SeenInEvaluation(Three):
    def __init__(self):
        super().__init__()
        self.register_buffer("seen", torch.zeros(()))

    def forward(self, x):
        if not self.training:
            self.seen += 1
        return self.c(torch.relu(self.b(torch.relu(self.a(x * (1 + 0.1 * self.seen))))))


class SpectralLinear(nn.Linear):
    def __init__(self, into, out):
        super().__init__(into, out)
        self.register_buffer("u", F.normalize(torch.randn(out), dim=0))

    def forward(self, x):
        with torch.no_grad():
            v = F.normalize(self.weight.t() @ self.u, dim=0)
            if self.training:
                self.u.copy_(F.normalize(self.weight @ v, dim=0))
        return F.linear(x, self.weight / torch.dot(self.u, self.weight @ v), self.bias)


@scripted
class Spectral(Three):
    """A vector is improved in place before each use."""

    def __init__(self):
        super().__init__()
        self.a, self.c = SpectralLinear(8, 16), SpectralLinear(16, 4)

    def forward(self, x):
        return self.c(torch.relu(self.b(torch.relu(self.a(x)))))


@traced(NUMBERS)
class Normed(Three):
    """A weight made of a direction and a length anew in every forward."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.utils.weight_norm(self.a), nn.utils.weight_norm(self.b)

    def forward(self, x):
        return self.c(torch.relu(self.b(torch.relu(self.a(x)))))


@scripted
class History(Three):
    """A name takes over what another had."""

    def __init__(self):
        super().__init__()
        self.register_buffer("last", torch.zeros(2, 16))
        self.register_buffer("before", torch.zeros(2, 16))

    def forward(self, x):
        z = torch.tanh(self.b(torch.relu(self.a(x) + self.last * self.before)))
        self.before = self.last
        self.last = z.detach()
        return self.c(z)


@scripted
class TwoNames(Three):
    """Two names for one memory that goes on changing."""

    def __init__(self):
        super().__init__()
        self.register_buffer("last", torch.zeros(16))
        self.register_buffer("before", torch.zeros(16))

    def forward(self, x):
        self.last.add_(1)
        x = self.a(x) + self.before
        self.before = self.last
        return self.c(torch.relu(self.b(torch.relu(x))))


OUTSIDE = torch.zeros(1)


@traced(NUMBERS)
class Outside(Three):
    def forward(self, x):
        OUTSIDE.add_(1)
        return self.c(torch.relu(self.b(torch.relu(self.a(x / OUTSIDE)))))


@scripted
class KeepsGraph(Three):
    def __init__(self):
        super().__init__()
        self.register_buffer("h", torch.zeros(2, 16))

    def forward(self, x):
        z = torch.tanh(self.b(torch.relu(self.a(x) * self.h)))
        self.h = z
        return self.c(z)


# Parameters in one memory.


@scripted
class Transposed(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(8, 16), nn.Linear(16, 16), nn.Linear(16, 8)
        self.c.weight.data = self.a.weight.data.t()

    def forward(self, x):
        return self.c(torch.relu(self.b(torch.relu(self.a(x)))))[:, :4]


@scripted
class Slices(Three):
    """Weights side by side in one buffer, and halves of a matrix's columns: nothing shared."""

    def __init__(self):
        super().__init__()
        flat = torch.randn(8 * 16 + 16 * 16) * 0.2
        self.a.weight.data = flat[:128].view(16, 8)
        self.b.weight.data = flat[128:].view(16, 16)
        wide = torch.randn(4, 32) * 0.2
        self.c.weight.data = wide[:, :16]
        self.d = nn.Linear(16, 4)
        self.d.weight.data = wide[:, 16:]

    def forward(self, x):
        x = torch.relu(self.b(torch.relu(self.a(x))))
        return self.c(x) + self.d(x * x)


@scripted
class Flat(nn.Module):
    """A parameter that holds all, and views of it, which are parameters too."""

    def __init__(self):
        super().__init__()
        self.all = nn.Parameter(torch.randn(8 * 16 + 16 * 4) * 0.2)
        self.a = nn.Parameter(self.all.data[:128].view(16, 8))
        self.c = nn.Parameter(self.all.data[128:].view(16, 4).t())
        self.register_buffer("first", self.all.data[:16])
        self.b = nn.Linear(16, 16)

    def forward(self, x):
        x = torch.relu(self.b(torch.relu(F.linear(x, self.a))) + self.first)
        return F.linear(x, self.c) + 0.1 * self.all.sum()


@scripted
class ChannelsLast(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.o = nn.Conv2d(1, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1), nn.Linear(64, 4)
        self.a.to(memory_format=torch.channels_last)
        self.b.to(memory_format=torch.channels_last)

    def forward(self, x):
        x = torch.relu(self.b(torch.relu(self.a(x.view(-1, 1, 2, 4)))))
        return self.o(x.flatten(1))


@scripted
class Overlapping(Three):
    def __init__(self):
        super().__init__()
        flat = torch.randn(400)
        self.b.weight.data = flat[:256].view(16, 16)
        self.a.weight.data = flat[200:328].view(16, 8)

    def forward(self, x):
        return self.c(torch.relu(self.b(torch.relu(self.a(x)))))


@scripted
class Expanded(Three):
    def __init__(self):
        super().__init__()
        self.b.bias = nn.Parameter(torch.zeros(1).expand(16))

    def forward(self, x):
        return self.c(torch.relu(self.b(torch.relu(self.a(x)))))


@scripted
class WrittenInPart(Three):
    def __init__(self):
        super().__init__()
        both = torch.zeros(24)
        self.register_buffer("low", both[:16])
        self.register_buffer("high", both[8:])

    def forward(self, x):
        self.low.add_(1)
        return self.c(torch.relu(self.b(torch.relu(self.a(x)) + self.low)) + self.high)


for name, (cls, example) in models.items():
    torch.manual_seed(1)
    model = cls().train()
    if example is None:
        torch.jit.script(model).save(f"{folder}/{name}.pt")
    else:
        torch.jit.trace(model, example, check_trace=False).save(f"{folder}/{name}.pt")
