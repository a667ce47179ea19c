# Recipes for working on clawgw. `just` itself comes with the development requirements.

python := ".venv/bin/python"
export PATH := justfile_directory() / ".venv/bin" + ":" + env("PATH")

# What there is
default:
    @just --list --unsorted

# Run the gateway in the foreground; `just serve --workers 2`
serve *ARGS:
    clawgw serve {{ARGS}}

# Everything that must be green before a commit
check: lint types imports test

# Style, and what async code must not do
lint:
    ruff check .
    ruff format --check .
    flake8 clawgw

# Types, strictly
types:
    mypy

# Imports go one way
imports:
    lint-imports

# All tests; `just test tests/wire -k gemini`
test *ARGS:
    pytest {{ARGS}}

# All tests with coverage, and its thresholds; without those of signals at random, which coverage's tracer cannot bear
cov:
    rm -f .coverage .coverage.*
    coverage run -m pytest --ignore=tests/policy_runtime/test_guard.py
    coverage combine -q
    coverage report --skip-covered --fail-under=95
    coverage report --include='clawgw/wire/*,clawgw/routing/*,clawgw/config/*' --skip-covered --fail-under=100

# Repair style where that is safe
fix:
    ruff check --fix .
    ruff format .

# Replay the recorded exchanges through the running gateway; prints provider × passed/total
recordings:
    {{python}} -m tests.recordings

# What hedging does for slow answers: a table (docs/measurements.md); takes two minutes
tail *ARGS:
    {{python}} -m benchmarks.tail {{ARGS}}

# clawgw beside LiteLLM and Portkey: tables (docs/benchmarks.md); takes fifteen minutes, `just bench --quick` four
bench *ARGS:
    {{python}} -m benchmarks.peers {{ARGS}}

# Where the time goes under load; `just profile stream`
profile *ARGS:
    {{python}} -m benchmarks.peers.profile {{ARGS}}

# Fuzz every parser for so many seconds
fuzz SECONDS="60":
    {{python}} -m fuzz --seconds {{SECONDS}}

# Write the lock files anew
lock:
    uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url pyproject.toml --group build -o requirements.lock
    uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url pyproject.toml --group dev -c requirements.lock -o requirements-dev.lock
    uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --group mongodb -c requirements.lock -o requirements-mongodb.lock

# Write the JSON Schema of gateway.toml anew
schema:
    clawgw schema > docs/gateway.schema.json

# Generate the bundled catalogue of models
catalogue:
    {{python}} tools/catalogue.py

# Generate the bundled table of prices
prices:
    {{python}} -m tools.prices
