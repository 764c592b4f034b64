#!/usr/bin/env bash
# Is what customers run sound, before any of it is run?
#
#     the template ──► cfn-lint, checkov        the modules ──► terraform fmt, validate, test, checkov
#
# A tool that is missing fails the check. BIN is where cfn-lint and checkov are; make check-customer says it.
set -euo pipefail
cd "$(dirname "$0")"

: "${BIN:?the folder of cfn-lint and checkov}"
say() { printf 'customer: %s\n' "$*"; }

say "cfn-lint"
"$BIN/cfn-lint" --include-checks I --non-zero-exit-code informational cloudformation.yaml

say "checkov"
# Offline; a suppression stands in the file it is for, with its reason.
"$BIN/checkov" --quiet --compact --skip-download --framework cloudformation -f cloudformation.yaml
"$BIN/checkov" --quiet --compact --skip-download --framework terraform -d terraform

say "terraform fmt"
../checks/terraform fmt -check -diff -recursive terraform

say "terraform validate and test"
../checks/check-modules terraform terraform/modules/* terraform/examples/*
