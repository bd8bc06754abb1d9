"""Small models and the data they are trained on, for train_data_test.cpp.
    train_data_models.py make FOLDER          writes FOLDER/NAME/{model.pt,x.npy,y.npy,expected.pt} of every case
    train_data_models.py check FOLDER RESULT  prints the largest difference of RESULT's state dict from expected.pt
expected.pt is the state dict after six steps of a plain loop of PyTorch over the very same arrays: global batches of 16,
in micro-batches of 4, one after the other."""
import pathlib, sys, warnings
import numpy as np, torch
import torch.nn.functional as F
from torch import nn

STEPS, GLOBAL, MICRO = 6, 16, 4
rng = np.random.RandomState(0)
X, CLASSES = rng.randn(96, 8).astype("f4"), rng.randint(0, 4, 96)


class Three(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(8, 16), nn.Linear(16, 16), nn.Linear(16, 4)
    def forward(self, x):
        return self.c(torch.relu(self.b(torch.relu(self.a(x)))))


class BytesInside(nn.Module):
    """Looks at the type of what it is given."""
    def __init__(self):
        super().__init__()
        self.a, self.o = nn.Conv2d(3, 8, 3, padding=1), nn.Linear(8, 4)
    def forward(self, x):
        if x.dtype == torch.uint8:
            x = x.float() / 255
        return self.o(torch.relu(self.a(x)).mean((2, 3)))


class Tokens(nn.Module):
    def __init__(self):
        super().__init__()
        self.e, self.a, self.o = nn.Embedding(60, 8), nn.Linear(8, 16), nn.Linear(16, 4)
    def forward(self, x):
        return self.o(torch.relu(self.a(self.e(x)).mean(1)))


class Rotary(nn.Module):
    """Complex numbers at a cut, also as conjugated and negated views."""
    def __init__(self):
        super().__init__()
        self.a, self.q, self.r, self.o = nn.Linear(8, 16), nn.Linear(16, 16), nn.Linear(16, 16), nn.Linear(8, 4)
        t = torch.arange(8).float()
        self.register_buffer("turn", torch.polar(torch.ones_like(t), t))
    def forward(self, x):
        z = torch.view_as_complex(self.q(torch.relu(self.a(x))).reshape(-1, 8, 2)) * self.turn
        z = z.conj()
        w = torch.view_as_complex(self.r(torch.relu(self.a(x))).reshape(-1, 8, 2))
        h = torch.real(z * w) + torch.imag(z)
        return self.o(h)


class Branch(nn.Module):
    """Whether the tensor at the cut needs a gradient depends on the values of a micro-batch."""
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(8, 16), nn.Linear(16, 16), nn.Linear(16, 4)
    def forward(self, x):
        h = torch.relu(self.a(x))
        if bool(x.sum() > 0):
            h = h.detach()
        return self.c(torch.relu(self.b(h)))


class Norm(nn.Module):
    """Takes no micro-batch of one in training."""
    def __init__(self):
        super().__init__()
        self.a, self.n, self.o = nn.Linear(8, 16), nn.BatchNorm1d(16), nn.Linear(16, 4)
    def forward(self, x):
        return self.o(torch.relu(self.n(self.a(x))))


class Pairs(nn.Module):
    """Takes an even batch in evaluation."""
    def __init__(self):
        super().__init__()
        self.a, self.o = nn.Linear(8, 16), nn.Linear(16, 4)
    def forward(self, x):
        h = torch.relu(self.a(x))
        if not self.training:
            h = h.reshape(h.shape[0] // 2, 2, 16).reshape(-1, 16)
        return self.o(h)


class Frozen(Three):
    def __init__(self):
        super().__init__()
        for parameter in self.parameters():
            parameter.requires_grad_(False)


class Detached(Three):
    def forward(self, x):
        return self.c(torch.relu(self.b(torch.relu(self.a(x))))).detach()


class Overflowing(Three):
    def forward(self, x):
        return self.c(torch.relu(self.b(self.a(x) * 1e30) * 1e30))


class RootOfZero(Three):
    """A finite loss whose gradient is not."""
    def forward(self, x):
        h = torch.relu(self.a(x))
        return self.c(torch.sqrt(h * 0) + self.b(h))


class SecondAxis(nn.Module):
    """[N, C, d] as PyTorch's cross_entropy takes it."""
    def __init__(self, points: int):
        super().__init__()
        self.points = points
        self.a, self.o = nn.Linear(8, 16), nn.Linear(16, 4 * points)
    def forward(self, x):
        return self.o(torch.relu(self.a(x))).reshape(-1, 4, self.points)


class Images(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.o = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 4, 1)
    def forward(self, x):
        return self.o(torch.relu(self.a(x)))


class OneNumber(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.o = nn.Linear(8, 16), nn.Linear(16, 1)
    def forward(self, x):
        return self.o(torch.relu(self.a(x)))


PIXELS = rng.randint(0, 256, (96, 3, 8, 8)).astype("u1")
TOKENS = rng.randint(0, 50, (96, 6))
LATE_TOKEN = TOKENS.copy()
LATE_TOKEN[90, 3] = 60  # beyond the table, far behind what a first micro-batch holds
WHOLE = rng.randint(-3, 4, (96, 8))
TARGET = rng.randn(96, 4).astype("f4")
AT_THE_END = TARGET.copy()
AT_THE_END[95, 2] = np.nan

CASES = {  # name: (model, x, y, loss)
    "bytes_inside": (BytesInside, PIXELS, CLASSES, "cross-entropy"),
    "pixels": (Images, PIXELS, rng.randn(96, 4, 8, 8).astype("f4"), "mse"),
    "tokens_uint8": (Tokens, TOKENS.astype("u1"), CLASSES, "cross-entropy"),
    "tokens_uint16": (Tokens, TOKENS.astype("u2"), CLASSES, "cross-entropy"),
    "tokens_uint32": (Tokens, TOKENS.astype("u4"), CLASSES.astype("u2"), "cross-entropy"),
    "late_token": (Tokens, LATE_TOKEN, CLASSES, "cross-entropy"),
    "whole": (Three, WHOLE, CLASSES, "cross-entropy"),
    "truth_values": (Three, WHOLE > 0, CLASSES, "cross-entropy"),
    "doubles": (Three, X.astype("f8"), CLASSES, "cross-entropy"),
    "halves": (Three, X.astype("f2"), CLASSES, "cross-entropy"),
    "uint64": (Tokens, TOKENS.astype("u8"), CLASSES, "cross-entropy"),
    "rotary": (Rotary, X, CLASSES, "cross-entropy"),
    "branch": (Branch, X, CLASSES, "cross-entropy"),
    "norm": (Norm, X, CLASSES, "cross-entropy"),
    "pairs": (Pairs, X, CLASSES, "cross-entropy"),
    "frozen": (Frozen, X, CLASSES, "cross-entropy"),
    "detached": (Detached, X, CLASSES, "cross-entropy"),
    "overflowing": (Overflowing, X, TARGET, "mse"),
    "root_of_zero": (RootOfZero, X, TARGET, "mse"),
    "second_axis": (lambda: SecondAxis(3), X, rng.randint(0, 4, (96, 3)), "cross-entropy"),
    "square_axis": (lambda: SecondAxis(4), X, rng.randint(0, 4, (96, 4)), "cross-entropy"),
    "other_layout": (Images, rng.randn(96, 3, 8, 8).astype("f4"), rng.randn(96, 8, 8, 4).astype("f4"), "mse"),
    "broadcast": (OneNumber, X, rng.randn(96).astype("f4"), "mse"),
    "nan_target": (Three, X, AT_THE_END, "mse"),
    "byte_target": (Three, X, rng.randint(0, 256, (96, 4)).astype("u1"), "mse"),
    "large_target": (Three, X, rng.randn(96, 4) * 1e5, "mse"),
    "plain": (Three, X, CLASSES, "cross-entropy"),
}


def as_pytorch_takes(x):
    if x.dtype in (np.dtype("u2"), np.dtype("u4")):
        return torch.from_numpy(x.astype("i8"))
    return torch.from_numpy(x)


def plain(net, x, y, loss):
    optimizer = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=0.05, momentum=0.9, foreach=False)
    xs, ys = as_pytorch_takes(x), as_pytorch_takes(y)
    try:
        net(xs[:2])
    except RuntimeError:  # as a user then does, for bytes: tokens are whole numbers, pixels are float32
        xs = xs.long() if any(isinstance(m, nn.Embedding) for m in net.modules()) else xs.float()
    for step in range(STEPS):
        optimizer.zero_grad(set_to_none=True)
        for m in range(GLOBAL // MICRO):
            at = step * GLOBAL % 96 + m * MICRO
            out, want = net(xs[at:at + MICRO]), ys[at:at + MICRO]
            value = F.mse_loss(out, want.float()) if loss == "mse" else F.cross_entropy(out, want.long())
            (value * (MICRO / GLOBAL)).backward()
        optimizer.step()
    return {k: v.detach().clone() for k, v in net.state_dict().items()}


def make(name, folder):
    build, x, y, loss = CASES[name]
    torch.manual_seed(1)
    net = build().train()
    np.save(folder / "x.npy", x), np.save(folder / "y.npy", y)
    torch.jit.script(net).save(str(folder / "model.pt"))
    try:
        torch.save(plain(net, x, y, loss), folder / "expected.pt")
    except (RuntimeError, ValueError, IndexError, TypeError):
        pass  # of those that are to be refused


def check(folder, result):
    expected, found = torch.load(folder / "expected.pt"), torch.load(result)
    assert expected.keys() == found.keys(), (expected.keys(), found.keys())
    print(max((found[k].double() - v.double()).abs().max().item() for k, v in expected.items() if v.numel()))


torch.set_num_threads(1)
warnings.simplefilter("ignore")
if sys.argv[1] == "make":
    for name in CASES:
        (pathlib.Path(sys.argv[2]) / name).mkdir(parents=True)
        make(name, pathlib.Path(sys.argv[2]) / name)
else:
    check(pathlib.Path(sys.argv[2]), sys.argv[3])
