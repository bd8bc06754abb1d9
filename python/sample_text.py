#!/usr/bin/env python3
"""Let a byte-level language model that FuncPipe trained continue a text.

usage: sample_text.py MODULE [--context N] [--prompt TEXT] [--length N] [--temperature T] [--seed N]

MODULE is a model.pt of a results folder whose forward takes bytes [N, context] and returns scores [N, context, vocab],
as zoo:char-gpt does. The context is fixed in the model: by default it is found out from the module.
"""
import argparse
import sys

import torch


def context_of(model: torch.jit.ScriptModule) -> int:
    """The length of the table of positions."""
    lengths = [tensor.shape[0] for name, tensor in model.named_parameters() if name.endswith("position")]
    if len(lengths) != 1:
        sys.exit("the module does not say its context: give --context")
    return lengths[0]


@torch.no_grad()
def continued(model: torch.jit.ScriptModule, prompt: bytes, length: int, context: int, temperature: float,
              generator: torch.Generator) -> bytes:
    text = list(prompt) or [ord("\n")]
    for _ in range(length):
        window = text[-context:]
        last = len(window) - 1
        # What follows the last byte is masked, so any filling will do.
        tokens = torch.tensor([window + [0] * (context - len(window))], dtype=torch.uint8)
        scores = model(tokens)[0, last].float()
        text.append(int(torch.multinomial(torch.softmax(scores / temperature, 0), 1, generator=generator)))
    return bytes(text)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("module")
    options.add_argument("--context", type=int, help="bytes the model looks at")
    options.add_argument("--prompt", default="The ", help="what the text begins with")
    options.add_argument("--length", type=int, default=400, help="bytes to add")
    options.add_argument("--temperature", type=float, default=0.8, help="lower: likelier bytes; above 0")
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args()
    if chosen.temperature <= 0:
        options.error("--temperature must be above 0")
    model = torch.jit.load(chosen.module).eval()
    text = continued(model, chosen.prompt.encode(), chosen.length, chosen.context or context_of(model),
                     chosen.temperature, torch.Generator().manual_seed(chosen.seed))
    print(text.decode(errors="replace"))


if __name__ == "__main__":
    main()
