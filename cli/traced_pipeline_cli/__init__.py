"""The command line `traced-pipeline`: requests sent, traces fetched, drawn and checked."""
