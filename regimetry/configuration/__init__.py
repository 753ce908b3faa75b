"""What a fit depends on besides the data: fields, files, and the way from a model back to a file.

The fields import nothing heavy. Reading needs PyYAML, of the ``train`` extra.
"""

from regimetry.configuration.fields import Configuration

__all__ = ["Configuration"]
