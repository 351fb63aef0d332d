"""Programs that stand on a link: each is started as a process, driven over HTTP and imported by nobody."""
