"""The routes: take what was asked, call a service, send its answer."""
