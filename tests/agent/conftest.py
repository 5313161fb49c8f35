"""A node whose GPUs are whatever a test says: the real `pynvml` on the project's fake library."""

import importlib.util

collect_ignore = (
    []
    if importlib.util.find_spec("demo.fake_gpus")
    else ["test_nvml.py", "test_agent_process.py", "test_agent_in_cluster.py"]
)
