#!/usr/bin/env python3
"""Load what FuncPipe trained back into PyTorch.

  module       torch.jit.load(path): computation and weights, ready to run or to train on
  state dict   torch.load(path): names and weights, for load_state_dict of the Python class

usage: load_trained.py MODULE [STATE_DICT]     prints the tensors of both and whether they agree; exit 1 if they do not
"""
import sys

import torch


def main() -> None:
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    module = torch.jit.load(sys.argv[1])
    weights = module.state_dict()
    for name, tensor in weights.items():
        print(f"{name:40} {str(tensor.dtype):15} {list(tensor.shape)}")
    if len(sys.argv) == 3:
        state = torch.load(sys.argv[2], weights_only=True)  # the default since PyTorch 2.6
        if state.keys() != weights.keys():
            sys.exit(f"the names differ: {sorted(state.keys() ^ weights.keys())}")
        for name, tensor in weights.items():
            if not torch.equal(tensor, state[name]):
                sys.exit(f"{name} differs")
        module.load_state_dict(state)
        print("module and state dict agree")


if __name__ == "__main__":
    main()
