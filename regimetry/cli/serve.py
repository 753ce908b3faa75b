"""``regimetry serve``: a model file as an inference service over HTTP."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from regimetry.cli.arguments import add_json


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = verbs.add_parser(
        "serve",
        help="answer inference requests over HTTP",
        description="Speak the Open Inference Protocol V2 over HTTP, JSON and binary tensors: "
        "/v2, /v2/health, /v2/models/NAME and, for Prometheus, /metrics. SIGINT and SIGTERM stop "
        "it after the running requests are answered.",
        examples=[
            "regimetry serve spx.onnx --port 8000",
            "regimetry serve spx.onnx --host 0.0.0.0 --allow-remote --name spx",
        ],
    )
    parser.add_argument("model", type=Path, help="model file (.onnx)")
    parser.add_argument("--name", help="name of the model for clients (default: that of the file)")
    parser.add_argument("--host", default="127.0.0.1", help="address (default: %(default)s)")
    parser.add_argument(
        "--port", type=int, default=8000, help="port; 0 takes a free one (default: %(default)s)"
    )
    parser.add_argument(
        "--allow-remote",
        action="store_true",
        help="allow an address that other machines can reach; there is no authentication",
    )
    parser.add_argument("--threads", type=int, help="inferences at once (default: one per CPU)")
    limits = parser.add_argument_group("limits")
    for name, default, text in (
        ("--max-request-bytes", 4 << 20, "bytes of one body"),
        ("--max-batch", 1024, "windows of one request"),
        ("--max-requests", 64, "inference requests at once, including those that wait"),
        ("--read-timeout", 10, "seconds for a request to arrive"),
        ("--stop-timeout", 30, "seconds to finish requests after a signal"),
    ):
        limits.add_argument(
            name, type=int, default=default, metavar="N", help=f"{text} (default: %(default)s)"
        )
    parser.add_argument(
        "--device", default="auto", help="auto, cpu, cuda or cuda:N (default: %(default)s)"
    )
    add_json(parser, "print name and address as JSON once it listens")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Load, listen, serve."""
    from regimetry.cli.output import note, print_json
    from regimetry.errors import ConfigError, InstallError
    from regimetry.parameters import require_integer
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
    for field in ("max_request_bytes", "max_batch", "max_requests", "read_timeout", "stop_timeout"):
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
        ),
        threads=threads,
        stop_timeout_s=options.stop_timeout,
    )
