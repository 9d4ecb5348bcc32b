"""`python -m pipeline_cli` is `pipeline`."""

from pipeline_cli.main import run

if __name__ == "__main__":
    run()
