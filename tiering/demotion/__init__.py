"""Who sinks: reclaim from a node that runs short, and demotion to the tier below."""
