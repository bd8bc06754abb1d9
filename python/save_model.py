#!/usr/bin/env python3
"""Save a PyTorch model for FuncPipe.

FuncPipe trains any TorchScript module, scripted or traced, as PyTorch saves it. The model stays as it is: no list of
layers, no base class. Two ways to save, both shown below:

  scripted  torch.jit.script(model).save(path)          keeps control flow, and both training and evaluation mode
  traced    torch.jit.trace(model, example).save(path)  for code that cannot be scripted; records one run, so `if` on
                                                        data and the mode (dropout, BatchNorm) are fixed as they were

Trace in the mode you want to train in: model.train(). A traced model stays in that mode during validation too, as it
does in PyTorch; prefer scripting where both modes matter. Parameters must be float32; tied parameters stay tied.

TorchScript forgets which buffers were registered with persistent=False. Save the names of the state dict with the module, and
FuncPipe's state_dict.pt has those and no others, as load_state_dict wants it.

usage: save_model.py FOLDER      writes FOLDER/scripted.pt and FOLDER/traced.pt
"""
import pathlib
import sys

import torch
from torch import nn


class Classifier(nn.Module):
    """Two convolutions and a linear layer for 28 x 28 grey images, raw bytes in, class scores out."""

    def __init__(self, classes: int = 10):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(inplace=True), nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(inplace=True), nn.MaxPool2d(2))
        self.head = nn.Linear(32 * 7 * 7, classes)

    def forward(self, images):
        x = self.features(images.to(torch.float32) / 255)
        return self.head(torch.flatten(x, 1))


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    model = Classifier().train()
    names = {"state_dict_names": "\n".join(model.state_dict())}
    torch.jit.script(model).save(str(folder / "scripted.pt"), _extra_files=names)
    example = torch.zeros(4, 1, 28, 28, dtype=torch.uint8)
    # check_trace runs the model again and compares, which BatchNorm's running statistics would fail.
    torch.jit.trace(model, example, check_trace=False).save(str(folder / "traced.pt"), _extra_files=names)
    print(f"saved {folder}/scripted.pt and {folder}/traced.pt; the data input is uint8 [N, 1, 28, 28]")


if __name__ == "__main__":
    main()
