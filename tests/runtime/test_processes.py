"""Models in other processes: forked, spawned, pickled."""

import multiprocessing
import os
import pickle
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import onnx
import pytest
from changed import save

import regimetry as rg
from regimetry.errors import DeviceError, ModelError
from regimetry.runtime.graphfile import GraphFile
from regimetry.runtime.shared_session import SharedSession


def replace_penalty(path):
    """Put another model in the file's place."""
    proto = onnx.load_from_string(path.read_bytes())
    for entry in proto.metadata_props:
        entry.value = entry.value.replace('"jump_penalty": 1.0', '"jump_penalty": 2.0')
    save(proto, path)


FORK = """
import gc, os, signal, sys, threading
import numpy as np
import regimetry as rg

model = rg.load(sys.argv[1], threads=2)
values = np.load(sys.argv[2])
expected = model.predict(values)
stream = model.stream()
for row in values[:30]:
    stream.push(row)

def in_child(task):
    pid = os.fork()
    if pid == 0:
        signal.alarm(20)  # a child that hangs ends with a signal
        try:
            task()
        except BaseException as error:
            print(repr(error), file=sys.stderr)
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

def labels():
    assert np.array_equal(model.predict(values), expected)

def streams():
    assert stream.push(values[30]).regime == expected[30]
    assert model.stream().push(values[0]) is None

def grandchildren():
    labels()
    assert in_child(labels) == 0

def destroys():
    global model, stream
    model = stream = None
    gc.collect()

def uses_and_destroys():
    labels()
    streams()
    destroys()

busy, done = threading.Event(), False
def work():
    while not done:
        model.predict(values)
        busy.set()
"""


GOES_ON = """
for task in (labels, streams, grandchildren, destroys, uses_and_destroys):
    assert in_child(task) == 0, task
labels()
streams()
"""
WHILE_OTHER_THREADS_RUN = """
threads = [threading.Thread(target=work) for _ in range(2)]
for thread in threads:
    thread.start()
busy.wait()
codes = [in_child(uses_and_destroys) for _ in range(20)]
done = True
for thread in threads:
    thread.join()
assert codes == [0] * 20, codes
"""


@pytest.mark.parametrize("code", [GOES_ON, WHILE_OTHER_THREADS_RUN], ids=["alone", "busy"])
def test_a_forked_child_goes_on_and_does_not_hang(model_path, values, tmp_path, code):
    np.save(tmp_path / "values.npy", values)
    result = subprocess.run(
        # The tests' own process has TensorFlow's threads, which do not fork.
        [sys.executable, "-I", "-c", FORK + code, str(model_path), str(tmp_path / "values.npy")],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert result.returncode == 0, result.stderr


def test_a_device_does_not_survive_a_fork(model_path, monkeypatch):
    session = SharedSession(GraphFile.read(model_path), device="cpu")
    session.provider = "CUDAExecutionProvider"
    monkeypatch.setattr(os, "getpid", lambda: -1)
    with pytest.raises(DeviceError, match="'spawn' method"):
        _ = session.raw


def test_a_child_opens_what_its_parent_read(model_path, tmp_path, monkeypatch):
    path = tmp_path / "model.onnx"
    path.write_bytes(model_path.read_bytes())
    session = SharedSession(GraphFile.read(path), device="cpu")
    first, outputs = session.raw, session.outputs
    path.unlink()
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert session.raw is not first
    assert session.outputs == outputs


def test_spawned_workers_load_by_path(model, values):
    # Unlike a Pool, it says at once that a worker cannot read its task.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        results = list(pool.map(rg.RegimeModel.predict, [model] * 2, [values, values[:200]]))
    np.testing.assert_array_equal(results[0], model.predict(values))
    np.testing.assert_array_equal(results[1], model.predict(values[:200]))


def test_a_pickle_holds_the_path_and_not_the_weights(model_path, values, monkeypatch):
    monkeypatch.chdir(model_path.parent)
    model = rg.load(model_path.name, threads=1, device="cpu")
    content = pickle.dumps(model)
    assert len(content) < 1000
    monkeypatch.chdir("/")
    again = pickle.loads(content)
    np.testing.assert_array_equal(again.predict(values), model.predict(values))
    assert pickle.dumps(again) == content


def test_a_model_from_bytes_pickles_as_its_content(model_path, values):
    content = model_path.read_bytes()
    again = pickle.loads(pickle.dumps(rg.RegimeModel(content)))
    np.testing.assert_array_equal(again.predict(values), rg.load(model_path).predict(values))
    assert again.content == content


def test_another_model_at_the_path_is_refused(model_path, tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(model_path.read_bytes())
    pickled = pickle.dumps(rg.load(path))
    replace_penalty(path)
    with pytest.raises(ModelError, match="It is another file, or was changed"):
        pickle.loads(pickled)
    path.unlink()
    with pytest.raises(ModelError, match="no model file"):
        pickle.loads(pickled)
