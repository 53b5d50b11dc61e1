"""One file per page: `layout` makes it, `wire(app)` registers its callbacks."""
