"""Complete jobs: a configuration, a run, a run folder."""
