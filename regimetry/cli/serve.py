"""``regimetry serve``: a model file as an inference service over HTTP."""

from __future__ import annotations

import argparse
import sys

from regimetry.cli.arguments import DEVICE, MODEL
from regimetry.cli.output import note, print_json
from regimetry.cli.verb import Verb, argument, flag, group
from regimetry.errors import ConfigError, InstallError
from regimetry.parameters import require_integer

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

VERB = Verb(
    help="answer inference requests over HTTP",
    description="Speak the Open Inference Protocol V2 over HTTP, JSON and binary tensors: /v2, "
    "/v2/health, /v2/models/NAME and, for Prometheus, /metrics. SIGINT and SIGTERM stop it after "
    "the running requests are answered.",
    examples=[
        "regimetry serve spx.onnx --port 8000",
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
            "allow an address that other machines can reach; there is no authentication",
        ),
        argument(
            "--allow-host",
            action="append",
            metavar="NAME",
            help="name by which clients may call this server, besides loopback addresses; may be "
            "repeated (default: the one of --host; any, with --allow-remote)",
        ),
        argument("--threads", type=int, help="inferences at once (default: one per CPU)"),
        group(
            "limits",
            *(
                argument(
                    f"--{name.replace('_', '-')}",
                    type=int,
                    default=default,
                    metavar="N",
                    help=f"{text} (default: %(default)s)",
                )
                for name, (default, text) in _LIMITS.items()
            ),
        ),
        DEVICE,
    ],
    json="print name and address as JSON once it listens",
)


def run(options: argparse.Namespace) -> None:
    """Load, listen, serve."""
    from regimetry.runtime.model import load
    from regimetry.runtime.threads import available_threads

    try:
        from regimetry.serve.app import Limits
        from regimetry.serve.server import listen, serve
    except ModuleNotFoundError as error:
        raise InstallError(
            f"{error.name} is not installed. Run: pip install 'regimetry[serve]'."
        ) from error
    threads = available_threads() if options.threads is None else options.threads
    require_integer("--threads", threads, 1)
    for field in _LIMITS:
        require_integer(f"--{field.replace('_', '-')}", getattr(options, field), 1)
    name = options.model.stem if options.name is None else options.name
    if not name or "/" in name:
        raise ConfigError(f"The name is {name!r}; it must be text without a slash.")
    model = load(options.model, device=options.device, threads=1)
    listener = listen(options.host, options.port, allow_remote=options.allow_remote)
    host, port = listener.getsockname()[:2]
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    if options.json:
        print_json({"name": name, "url": f"http://{address}", "host": host, "port": port})
        sys.stdout.flush()
    else:
        note(f"serving {name} on http://{address}; Ctrl-C stops.")
    serve(
        model,
        name,
        listener,
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
    )


def _hosts(options: argparse.Namespace) -> list[str] | None:
    if options.allow_remote and options.allow_host is None:
        return None
    return [*(options.allow_host or ()), options.host]
