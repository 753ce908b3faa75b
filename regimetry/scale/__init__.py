"""One model over many instruments, out of core: Parquet in, Parquet out, here or on Ray."""

from regimetry.scale.fitting import FolderSource, fit
from regimetry.scale.labeller import Labeller, RowLabels
from regimetry.scale.run import predict

__all__ = ["FolderSource", "Labeller", "RowLabels", "fit", "predict"]
