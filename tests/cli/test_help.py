"""Help, examples, --json and completion of every verb."""

import json
import shlex
import shutil
import subprocess
import sys

import pytest

from regimetry.cli import build_parser, main
from regimetry.cli.completion import SHELLS, script_for

(VERBS,) = (action.choices for action in build_parser()._actions if action.choices)
EXAMPLES = [(name, example) for name, verb in VERBS.items() for example in verb.examples]


@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS)
def test_every_verb_has_a_description_examples_and_json(verb):
    assert verb.description
    assert verb.examples
    assert "--json" in verb._option_string_actions
    text = verb.format_help()
    for example in verb.examples:
        assert f"\n  {example}\n" in text


def command_of(example):
    """The arguments of an example, without what the shell takes."""
    words = shlex.split(example.removeprefix('eval "$(').removesuffix(')"'))
    for sign in ("<", ">"):
        if sign in words:
            words = words[: words.index(sign)]
    assert words[0] == "regimetry"
    return words[1:]


def test_examples_are_understood_and_a_wrong_one_would_be_noticed(capsys):
    for _, example in EXAMPLES:
        assert callable(build_parser().parse_args(command_of(example)).run)
    with pytest.raises(SystemExit):
        build_parser().parse_args(command_of("regimetry fit spx.csv -o spx.onnx --windows 20"))
    assert "unrecognized arguments: --windows 20" in capsys.readouterr().err


CHEAP = ["sample", "config", "doctor", "completion"]


def test_cheap_examples_run(tmp_path, monkeypatch, run):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run.yaml").write_text("seed: 1")
    cheap = [text for name, text in EXAMPLES if name in CHEAP and "spx.onnx" not in text]
    assert len(cheap) >= 8
    for example in cheap:
        run(*command_of(example))


def test_errors_are_json_where_json_is_asked_for(tmp_path, run, capsys):
    captured = run("sample", "sp500", "-o", tmp_path / "none" / "s.csv", "--json", code=2)
    error = json.loads(captured.err)
    assert captured.out == ""
    assert (error["kind"], error["exit_code"]) == ("DataError", 2)
    assert "does not exist" in error["error"]
    with pytest.raises(SystemExit, match="2"):
        main(["sample", "--json"])
    error = json.loads(capsys.readouterr().err)
    assert error["kind"] == "usage"
    assert "the following arguments are required" in error["error"]


def test_a_mistake_of_ours_is_a_sentence_too(monkeypatch, run):
    from regimetry.cli import doctor

    def broken(options):
        raise broken.error

    monkeypatch.setattr(doctor, "run", broken)
    for error, text in (
        (KeyError("x"), "KeyError where none was expected ('x')"),
        (OSError(28, "No space left on device"), "No space left on device"),
        (MemoryError(), "memory is too small"),
        (KeyboardInterrupt(), "regimetry: stopped."),
    ):
        broken.error = error
        said = run("doctor", code=1).err
        assert text in said
        assert said.count("\n") == 1
    broken.error = KeyError("x")
    with pytest.raises(KeyError):
        main(["--debug", "doctor"])


COMPLETE = """
source ./complete.bash
complete_words() {{
    COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
    local handler; handler=$(complete -p regimetry); handler=${{handler#*-F }}
    ${{handler%% *}} regimetry "${{COMP_WORDS[COMP_CWORD]}}" "${{COMP_WORDS[COMP_CWORD-1]}}"
    printf '%s\\n' "${{COMPREPLY[@]}}"
}}
complete_words {words}
"""


@pytest.mark.skipif(sys.platform == "win32", reason="bash on Windows completes for MSYS paths")
def test_bash_completes_verbs_flags_choices_and_files(tmp_path):
    (tmp_path / "complete.bash").write_text(script_for("bash", build_parser()))
    for name in ("spx.onnx", "spx.csv"):
        (tmp_path / name).touch()
    (tmp_path / "spx-folder").mkdir()

    def completed(*words):
        script = COMPLETE.format(words=shlex.join(words))
        bash = ["bash", "--norc", "-c", script]
        result = subprocess.run(bash, cwd=tmp_path, capture_output=True, text=True, check=True)
        assert result.stderr == ""
        return sorted(result.stdout.split("\n")[:-1])

    assert set(VERBS) <= set(completed("regimetry", ""))
    assert completed("regimetry", "co") == ["compare", "completion", "config"]
    assert completed("regimetry", "fit", "--obj") == ["--objective"]
    targets = completed("regimetry", "export", "spx.onnx", "x", "--target", "")
    assert targets == ["series", "triton"]
    files = completed("regimetry", "predict", "spx.")
    assert files == ["spx.csv", "spx.onnx"]
    assert completed("regimetry", "search", "spx.csv", "-o", "spx") == ["spx-folder"]


@pytest.mark.parametrize("shell", SHELLS)
def test_scripts_are_accepted_by_their_shells(tmp_path, shell):
    script = script_for(shell, build_parser())
    assert all(verb in script for verb in VERBS)
    program = shutil.which(shell)
    if program is not None:  # bash is everywhere; the others where somebody uses them
        (tmp_path / "script").write_text(script)
        subprocess.run([program, "-n", str(tmp_path / "script")], check=True)


def test_completion_as_json(answer):
    found = answer("completion", "bash")
    assert found["shell"] == "bash"
    assert "complete -" in found["script"]
