"""Who sinks. Empty yet: kmmscand V0 was measured on machines where everything fits."""
