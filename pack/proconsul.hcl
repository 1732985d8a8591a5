# One server that keeps everything in /var/lib/proconsul, and that only this machine reaches.
# Other set-ups: /usr/share/doc/proconsul/README.md, and every key in docs/configuration.md.
server    = true
bootstrap = true
bind_addr = "127.0.0.1"

# Several servers on one Redis, each with:
# bootstrap  = false
# bind_addr  = "10.0.0.1"
# redis      = { url = "redis://user:password@host:6379" }
# retry_join = ["server-1", "server-2", "server-3"]
