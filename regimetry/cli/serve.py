"""``regimetry serve``: a model file as an inference service over HTTP."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from regimetry.cli.arguments import CHANGES, DEVICE, MODEL
from regimetry.cli.output import note, print_json
from regimetry.cli.verb import Declared, Verb, argument, flag, group
from regimetry.errors import ConfigError, ExportParityError, InstallError
from regimetry.parameters import require_integer

if TYPE_CHECKING:
    from regimetry.runtime.model import RegimeModel
    from regimetry.serve.folder import StateFolder
    from regimetry.serve.process import Options

_LIMITS = {
    "max_request_bytes": (4 << 20, "bytes of one body"),
    "max_batch": (1024, "windows of one request"),
    "max_requests": (64, "inference requests at once, including those that wait"),
    "read_timeout": (10, "seconds for a request to arrive"),
    "max_response_bytes": (32 << 20, "bytes of one answer"),
    "max_body_bytes": (256 << 20, "bytes of all bodies that are arriving"),
    "write_timeout": (10, "seconds that an answer may stay unread"),
    "stop_timeout": (30, "seconds to finish requests after a signal"),
}

_SERIES = {
    "max_series": (10_000, "series at once"),
    "max_client_series": (10_000, "series of one client"),
    "max_rows": (10_000, "rows of one push"),
    "max_subscribers": (64, "subscribers to changes at once"),
    "idle": (604_800, "seconds without a row after which a series is dropped"),
    "log_bytes": (64 << 20, "bytes of the log after which a snapshot is written"),
    "log_steps": (20_000, "pushes in the log after which a snapshot is written"),
}


def _numbers(fields: Mapping[str, tuple[int, str]]) -> list[Declared]:
    return [
        argument(
            f"--{name.replace('_', '-')}",
            type=int,
            default=default,
            metavar="N",
            help=f"{text} (default: %(default)s)",
        )
        for name, (default, text) in fields.items()
    ]


VERB = Verb(
    help="answer inference requests over HTTP",
    description="Speak the Open Inference Protocol V2 over HTTP, JSON and binary tensors: /v2, "
    "/v2/health, /v2/models/NAME and, for Prometheus, /metrics. Live series take rows under "
    "/v2/models/NAME/streams, and tell changes of regime. SIGINT and SIGTERM stop it after "
    "the running requests are answered; SIGHUP goes on with what the model file holds then.",
    examples=[
        "regimetry serve spx.onnx --port 8000",
        "regimetry serve spx.onnx --state spx.state --token-file tokens",
        "regimetry serve spx.onnx --host 0.0.0.0 --allow-remote --name spx",
    ],
    arguments=[
        MODEL,
        argument("--name", help="name of the model for clients (default: that of the file)"),
        argument("--host", default="127.0.0.1", help="address (default: %(default)s)"),
        argument(
            "--port", type=int, default=8000, help="port; 0 takes a free one (default: %(default)s)"
        ),
        flag(
            "--allow-remote",
            "allow an address that other machines can reach; nothing is encrypted",
        ),
        argument(
            "--allow-host",
            action="append",
            metavar="NAME",
            help="name by which clients may call this server, besides loopback addresses; may be "
            "repeated (default: the one of --host; any, with --allow-remote)",
        ),
        argument(
            "--token-file",
            type=Path,
            metavar="FILE",
            help="lines of a client's name and its token, which every request must show (default: "
            "anyone may ask)",
        ),
        argument("--threads", type=int, help="inferences at once (default: one per CPU)"),
        group("limits", *_numbers(_LIMITS)),
        group(
            "live series",
            argument(
                "--state",
                type=Path,
                metavar="FOLDER",
                help="where series are remembered (default: nowhere; they end with the process)",
            ),
            flag(
                "--fsync",
                "answer a push once its rows are on the disk, so that a loss of power loses none",
            ),
            *_numbers(_SERIES),
        ),
        CHANGES,
        DEVICE,
    ],
    json="print name and address as JSON once it listens",
)


def run(options: argparse.Namespace) -> None:
    """Load, listen, serve."""
    from regimetry.runtime.model import load

    try:
        from regimetry.serve.process import serve
        from regimetry.serve.server import listen
    except ModuleNotFoundError as error:
        raise InstallError(
            f"{error.name} is not installed. Run: pip install 'regimetry[serve]'."
        ) from error
    how = _options(options)
    name = options.model.stem if options.name is None else options.name
    if not name or "/" in name:
        raise ConfigError(f"The name is {name!r}; it must be text without a slash.")
    model = load(options.model, device=options.device, threads=1)
    with listen(options.host, options.port, allow_remote=options.allow_remote) as listener:
        host, port = listener.getsockname()[:2]
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        if options.json:
            print_json({"name": name, "url": f"http://{address}", "host": host, "port": port})
            sys.stdout.flush()
        else:
            note(f"serving {name} on http://{address}; Ctrl-C stops.")
        serve(model, name, listener, how)


def _options(options: argparse.Namespace) -> Options:
    """Return how the server works; raise :class:`ConfigError` for what is not allowed."""
    from regimetry.runtime.changes import ChangeRule
    from regimetry.runtime.threads import available_threads
    from regimetry.serve.app import Limits
    from regimetry.serve.live import SeriesLimits
    from regimetry.serve.process import Options
    from regimetry.serve.tokens import Tokens

    threads = available_threads() if options.threads is None else options.threads
    require_integer("--threads", threads, 1)
    for field in (*_LIMITS, *_SERIES):
        require_integer(f"--{field.replace('_', '-')}", getattr(options, field), 1)
    if options.fsync and options.state is None:
        raise ConfigError("--fsync is about the folder of --state; give one, or leave it out.")
    return Options(
        limits=Limits(
            request_bytes=options.max_request_bytes,
            batch=options.max_batch,
            requests=options.max_requests,
            read_timeout_s=options.read_timeout,
            response_bytes=options.max_response_bytes,
            write_timeout_s=options.write_timeout,
            body_bytes=options.max_body_bytes,
        ),
        threads=threads,
        stop_timeout_s=options.stop_timeout,
        hosts=_hosts(options),
        tokens=None if options.token_file is None else Tokens.read(options.token_file),
        series=SeriesLimits(
            series=options.max_series,
            client_series=options.max_client_series,
            rows=options.max_rows,
            idle_s=options.idle,
        ),
        rule=ChangeRule(probability=options.change_probability, bars=options.change_bars),
        subscribers=options.max_subscribers,
        folder=None if options.state is None else partial(_folder, options),
        again=partial(_verified, options),
        say=note,
    )


def _folder(options: argparse.Namespace, owner: str) -> StateFolder:
    from regimetry.serve.folder import StateFolder

    return StateFolder(
        options.state,
        owner,
        fsync=options.fsync,
        log_bytes=options.log_bytes,
        log_records=options.log_steps,
    )


def _verified(options: argparse.Namespace) -> RegimeModel:
    """Open the model file again if its golden file says that it is sound."""
    from regimetry.check.verify import verify
    from regimetry.runtime.model import load

    found = verify(options.model, runtimes=["onnxruntime"])
    if found.problem is not None:
        raise ExportParityError(found.problem)
    return load(options.model, device=options.device, threads=1, sha256=found.sha256)


def _hosts(options: argparse.Namespace) -> list[str] | None:
    if options.allow_remote and options.allow_host is None:
        return None
    return [*(options.allow_host or ()), options.host]
