"""One module for each way to run a workload; a tool is imported when its network is built, and in its module only."""
