"""The live side: streams, WebSockets and server-sent events of one real installation, watched by raw sockets."""
