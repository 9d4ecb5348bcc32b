"""The HTTP API: a request goes in, a response comes out, whatever server carries them."""
