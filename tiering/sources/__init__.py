"""Who notices: mechanisms that report touches. A source reports, it never judges."""
