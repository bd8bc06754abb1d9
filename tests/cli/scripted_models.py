"""Writes the models of python_model_test.cpp: prints.pt, raises.pt, outputs.pt, hiddenfirst.pt, pair.pt, names.pt."""
from typing import Dict, List, NamedTuple

import torch
from torch import Tensor, nn


class Three(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(784, 16), nn.Linear(16, 16), nn.Linear(16, 10)

    def pixels(self, x):
        return x.flatten(1).float() / 255


class Prints(Three):
    def forward(self, x):
        h = torch.relu(self.a(self.pixels(x)))
        print("{\"hidden\":", h.shape[1], "}")
        return self.c(torch.relu(self.b(h)))


class Raises(Three):
    def forward(self, x):
        h = self.pixels(x)
        if h.size(1) != 9:
            raise ValueError("expected 9 features, got " + str(h.size(1)) + "\nin " + str(h.size(0)) + " rows")
        return self.c(torch.relu(self.b(torch.relu(self.a(h)))))


class Outputs(Three):
    def forward(self, x) -> Dict[str, Tensor]:
        result: Dict[str, Tensor] = {}
        hidden = torch.relu(self.a(self.pixels(x)))
        result["out"] = self.c(torch.relu(self.b(hidden)))
        result["hidden"] = hidden
        return result


class HiddenFirst(Three):
    def forward(self, x) -> Dict[str, Tensor]:
        hidden = torch.relu(self.a(self.pixels(x)))
        return {"hidden": hidden, "out": self.c(torch.relu(self.b(hidden)))}


class Both(NamedTuple):
    hidden: Tensor
    out: Tensor


class Pair(Three):
    def forward(self, x) -> Both:
        hidden = torch.relu(self.a(self.pixels(x)))
        return Both(hidden, self.c(torch.relu(self.b(hidden))))


class Names(Three):
    def forward(self, x):
        names: List[str] = []
        for i in range(x.size(0)):
            names.append(str(i))
        h = torch.relu(self.b(torch.relu(self.a(self.pixels(x)))))
        return self.c(h) + len(names)


for kind in (Prints, Raises, Outputs, HiddenFirst, Pair, Names):
    torch.manual_seed(1)  # the same first weights for all
    torch.jit.script(kind()).save(kind.__name__.lower() + ".pt")
