"""How does reuse go into other libraries' training loops? One module a library; import the one you use."""
