"""Training of an encoder by an objective."""

from regimetry.encoder.training.loop import train_encoder
from regimetry.encoder.training.parts import split_by_time
from regimetry.encoder.training.training_options import TrainingOptions
from regimetry.windows import Windows

__all__ = ["TrainingOptions", "Windows", "split_by_time", "train_encoder"]
