import os

import pytest

from regimetry.runtime.threads import available_threads, thread_limits

MINE = len(os.sched_getaffinity(0))


def machine(root, groups, files):
    for name, text in {"proc/self/cgroup": groups, **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return thread_limits(root)


def test_without_control_groups_the_affinity_decides(tmp_path):
    assert thread_limits(tmp_path) == {"affinity": MINE}
    assert available_threads() <= MINE


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("200000 100000\n", 2),
        ("150000 100000\n", 2),  # half a CPU is worth a thread
        ("5000 100000\n", 1),
        ("max 100000\n", None),
        ("nonsense\n", None),
        ("-1 100000\n", None),
        ("100000 0\n", None),
        ("", None),
    ],
)
def test_version_2(tmp_path, text, expected):
    limits = machine(tmp_path, "0::/\n", {"sys/fs/cgroup/cpu.max": text})
    assert limits.pop("affinity") == MINE
    assert list(limits.values()) == ([] if expected is None else [expected])


def test_version_2_counts_every_group_above(tmp_path):
    limits = machine(
        tmp_path,
        "0::/system/job\n",
        {
            "sys/fs/cgroup/system/job/cpu.max": "800000 100000",
            "sys/fs/cgroup/system/cpu.max": "300000 100000",
        },
    )
    assert {str(tmp_path / "sys/fs/cgroup/system"): 3}.items() <= limits.items()
    assert {str(tmp_path / "sys/fs/cgroup/system/job"): 8}.items() <= limits.items()


@pytest.mark.parametrize("controllers", ["cpu", "cpu,cpuacct"])
def test_version_1(tmp_path, controllers):
    folder = f"sys/fs/cgroup/{controllers}/job"
    limits = machine(
        tmp_path,
        f"4:memory:/job\n3:{controllers}:/job\n",
        {
            f"{folder}/cpu.cfs_quota_us": "250000\n",
            f"{folder}/cpu.cfs_period_us": "100000\n",
            "sys/fs/cgroup/memory/job/cpu.max": "100000 100000",  # not a group of CPUs
        },
    )
    assert limits == {"affinity": MINE, str(tmp_path / folder): 3}


def test_version_1_without_a_quota(tmp_path):
    files = {"sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n"}
    files["sys/fs/cgroup/cpu/cpu.cfs_period_us"] = "100000\n"
    assert machine(tmp_path, "3:cpu:/\n", files) == {"affinity": MINE}


def test_inside_a_container_the_path_is_the_hosts(tmp_path):
    limits = machine(
        tmp_path, "0::/../../host/pod7\n", {"sys/fs/cgroup/cpu.max": "100000 100000\n"}
    )
    assert limits == {"affinity": MINE, str(tmp_path / "sys/fs/cgroup"): 1}


def test_version_2_beside_version_1(tmp_path):
    limits = machine(
        tmp_path, "0::/\n1:cpu:/\n", {"sys/fs/cgroup/unified/cpu.max": "400000 100000"}
    )
    assert limits[str(tmp_path / "sys/fs/cgroup/unified")] == 4
