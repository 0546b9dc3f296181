"""The command line: arguments in, calls to ``rkx.api``, exit codes out; it decides nothing."""
