"""Writes the models of cut_test.cpp into the folder given: NAME.script.pt and NAME.trace.pt."""
import sys

import torch
import torch.nn.functional as F
from torch import nn

folder = sys.argv[1]
torch.set_num_threads(1)


class Cnn(nn.Sequential):
    def __init__(self):
        super().__init__(
            nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(inplace=True), nn.Conv2d(8, 8, 3, padding=1),
            nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8 * 8 * 8, 10))


class Block(nn.Module):
    def __init__(self, width, heads, p):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.drop = nn.Dropout(p)

    def forward(self, x):
        batch, time, width = x.shape
        qkv = self.qkv(self.norm1(x)).reshape(batch, time, 3, self.heads, width // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        scores = (q @ k.transpose(-1, -2) / (width // self.heads)**0.5).softmax(-1)
        x = x + self.drop(self.out((scores @ v).transpose(1, 2).reshape(batch, time, width)))
        return x + self.drop(self.down(F.gelu(self.up(self.norm2(x)))))


class Transformer(nn.Module):
    """The head's weight is the embedding's."""

    def __init__(self, p=0.0, width=16, blocks=2):
        super().__init__()
        self.embedding = nn.Embedding(100, width)
        self.position = nn.Parameter(torch.randn(1, 12, width) * 0.02)
        self.blocks = nn.ModuleList([Block(width, 4, p) for _ in range(blocks)])
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, 100)
        self.head.weight = self.embedding.weight

    def forward(self, tokens):
        x = self.embedding(tokens) + self.position[:, :tokens.size(1)]
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))


def conv_bn_relu(into, out):
    return nn.Sequential(nn.Conv2d(into, out, 3, padding=1, bias=False), nn.BatchNorm2d(out), nn.ReLU(inplace=True))


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.down1, self.down2, self.down3 = conv_bn_relu(3, 4), conv_bn_relu(4, 8), conv_bn_relu(8, 16)
        self.up2, self.up1 = conv_bn_relu(24, 8), conv_bn_relu(12, 4)
        self.out = nn.Conv2d(4, 2, 1)

    def forward(self, x):
        a = self.down1(x)
        b = self.down2(F.max_pool2d(a, 2))
        c = self.down3(F.max_pool2d(b, 2))
        y = self.up2(torch.cat([F.interpolate(c, scale_factor=2.0, mode="nearest"), b], 1))
        y = self.up1(torch.cat([F.interpolate(y, scale_factor=2.0, mode="nearest"), a], 1))
        return self.out(y)


class Control(nn.Module):
    """An `if` on data, a loop, an in-place update of a slice, a counter held by assignment."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 4)
        self.register_buffer("calls", torch.zeros(1))
        self.register_buffer("scale", torch.full((8,), 0.5))

    def forward(self, x):
        self.calls = self.calls + 1
        if bool(x.sum() > 0):
            x = self.a(x)
        else:
            x = self.b(x)
        for _ in range(2):
            x = torch.relu(self.a(x)) * self.scale
        y = x * 2
        y[:, 0] = 1.0
        outputs = []
        for _ in range(2):
            y = self.b(y)
            outputs.append(y)
        return self.c(torch.cat(outputs).view(2, -1, 8).sum(0)), x


class OneDropout(nn.Module):
    """One dropout, first to draw in its layer: an uncut run seeded for that layer draws the same."""

    def __init__(self):
        super().__init__()
        self.first, self.second, self.third = nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 8)

    def forward(self, x):
        return self.third(F.dropout(self.second(torch.relu(self.first(x))), 0.5, self.training))


class Masked(nn.Module):
    """Two data inputs, the second (integers) read late; a border with a tensor without gradient; a dict out."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 8)
        self.table = nn.Embedding(20, 8)
        self.frozen = nn.Linear(8, 8)
        for parameter in self.frozen.parameters():
            parameter.requires_grad_(False)

    def forward(self, x, tokens, factor: float = 2.0):
        mask = (tokens > 5).to(torch.float32).unsqueeze(1)
        y = torch.tanh(self.a(x)) * mask
        y = torch.tanh(self.frozen(self.b(y))) * mask
        y = self.c(y + self.table(tokens)) * mask * factor
        return {"y": y, "mask": mask}


models = {
    "cnn": (Cnn, lambda: (torch.randn(4, 3, 16, 16),)),
    "transformer": (Transformer, lambda: (torch.randint(0, 100, (4, 12)),)),
    "transformer_dropout": (lambda: Transformer(p=0.1), lambda: (torch.randint(0, 100, (4, 12)),)),
    "unet": (UNet, lambda: (torch.randn(4, 3, 16, 16),)),
    "control": (Control, lambda: (torch.randn(4, 8),)),
    "one_dropout": (OneDropout, lambda: (torch.randn(4, 8),)),
    "masked": (Masked, lambda: (torch.randn(4, 8), torch.randint(0, 20, (4,)))),
}
for name, (make, example) in models.items():
    torch.manual_seed(1)
    model = make().train()
    torch.jit.script(model).save(f"{folder}/{name}.script.pt")
    if name != "control":  # its dict of state cannot be traced faithfully
        torch.jit.trace(model, example(), check_trace=False, strict=False).save(f"{folder}/{name}.trace.pt")

# Files that are no TorchScript.
torch.save(Cnn().state_dict(), f"{folder}/state_dict.pt")
torch.save({"weight": torch.zeros(2)}, f"{folder}/old.pt", _use_new_zipfile_serialization=False)
torch.jit.script(nn.Linear(8, 4).double()).save(f"{folder}/double.pt")
torch.jit.script(nn.Linear(8, 4)).eval().save(f"{folder}/eval.pt")
