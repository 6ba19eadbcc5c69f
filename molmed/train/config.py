"""What the trainer can be told."""

from dataclasses import dataclass
from typing import Annotated

from molmed.tunable import Choice, Float, Int


@dataclass(frozen=True)
class TrainConfig:
    """Settings of the loop. Optimiser: AdamW (Loshchilov & Hutter 2019), which is Adam at weight decay 0.

    Args:
        lr: peak learning rate; the schedule starts at a tenth of it, as chemprop's does (1e-4, 1e-3, 1e-4).
        warmup_epochs: linear rise to `lr` (chemprop 2.3.1: 2).
        final_lr_fraction: learning rate at the end, as a fraction of `lr` (chemprop 2.3.1: 0.1).
        clip_norm: global gradient norm limit; 0 = off. Chosen, not studied.
        patience: epochs without a better score before the run stops; 0 = no early stopping.
        monitor: the score that decides which epoch is best; lower is better.
        accumulate: batches per optimiser step.
        seed: of dropout; the order of rows has its feed's own, and initial weights are drawn before training.
        device: "auto" is CUDA where there is a device, else the CPU.
        devices: processes that share each batch, on one machine, each with its CUDA device or its part of the threads.
        precision: of matrix products; "auto" is bf16 where the device multiplies it fast, else float32. Weights,
            optimiser, loss and sums are float32 either way.
        compile: let torch.compile translate the network; it needs a C++ compiler (on CUDA, Triton).
        cuda_graphs: with `compile` on CUDA, record and replay the launches of a step; for batches of few sizes.
        threads: CPU threads of torch over all processes; 0 = torch's own choice. Results depend on it in the last bits.
        timeout: seconds that a process waits for another one's part of a batch before the run fails.
    """

    epochs: Annotated[int, Int(1, 10_000, log=True)] = 50
    lr: Annotated[float, Float(1e-6, 1.0, log=True)] = 1e-3
    weight_decay: Annotated[float, Float(0.0, 1.0)] = 0.0
    warmup_epochs: Annotated[float, Float(0.0, 1000.0)] = 2.0
    final_lr_fraction: Annotated[float, Float(0.0, 1.0)] = 0.1
    schedule: Annotated[str, Choice(("cosine", "constant"))] = "cosine"
    clip_norm: Annotated[float, Float(0.0, 1e6)] = 1.0
    patience: Annotated[int, Int(0, 10_000)] = 0
    monitor: str = "loss"
    accumulate: Annotated[int, Int(1, 4096, log=True)] = 1
    seed: int = 0
    device: Annotated[str, Choice(("auto", "cpu", "cuda"))] = "auto"
    devices: Annotated[int, Int(1, 1024)] = 1
    precision: Annotated[str, Choice(("32-true", "bf16-mixed", "auto"))] = "32-true"
    compile: bool = False
    cuda_graphs: bool = False
    threads: Annotated[int, Int(0, 1024)] = 0
    timeout: Annotated[float, Float(1.0, 86_400.0)] = 300.0
