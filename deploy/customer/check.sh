#!/usr/bin/env bash
# Is what customers run sound, before any of it is run?
#
#     the template ──► cfn-lint, checkov        the modules ──► terraform fmt, validate, test, checkov
#
# Needs Terraform 1.9 or later and the AWS provider: from a mirror on disk if there is one, else from its registry. A tool
# that is missing fails the check. BIN is where cfn-lint and checkov are; the modules are checked in a copy.
set -euo pipefail
cd "$(dirname "$0")"

: "${BIN:?the folder of cfn-lint and checkov}"
say() { printf 'customer: %s\n' "$*"; }

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

command -v terraform >/dev/null || { say "Terraform 1.9 or later is needed, and there is none on the PATH"; exit 1; }

say "cfn-lint"
"$BIN/cfn-lint" --include-checks I --non-zero-exit-code informational cloudformation.yaml

say "checkov"
# Offline; a suppression stands in the file it is for, with its reason.
"$BIN/checkov" --quiet --compact --skip-download --framework cloudformation -f cloudformation.yaml
"$BIN/checkov" --quiet --compact --skip-download --framework terraform -d terraform

say "terraform fmt"
terraform fmt -check -diff -recursive terraform

./terraform-offline.sh "$folder/cli.tfrc"
export TF_CLI_CONFIG_FILE=$folder/cli.tfrc CHECKPOINT_DISABLE=1 TF_IN_AUTOMATION=1
cp -R terraform "$folder/terraform"
for module in . modules/log_group modules/bucket examples/complete; do
    say "terraform validate and test: $module"
    terraform -chdir="$folder/terraform/$module" init -backend=false -input=false -no-color >"$folder/init.log" 2>&1 \
        || { cat "$folder/init.log"; exit 1; }
    terraform -chdir="$folder/terraform/$module" validate -no-color
    [ ! -d "terraform/$module/tests" ] || terraform -chdir="$folder/terraform/$module" test -no-color
done
