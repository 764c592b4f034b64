#!/bin/sh
# Run Vector's own unit tests over the configuration that ships, in each environment that the cases ask for.
# Needs Vector 0.58: VECTOR=/path/to/vector tests/k8s/vector-test.sh
set -eu
vector=$(command -v "${VECTOR:-vector}") || { echo "vector-test: there is no ${VECTOR:-vector}; set VECTOR to the program" >&2; exit 2; }
tests=$(cd "$(dirname "$0")/vector-tests" && pwd)
cd "$tests/../../../k8s/base/vector"
for file in "$tests"/*.yaml; do
  echo "── $(basename "$file" .yaml)"
  # shellcheck disable=SC2046  # one variable a line, none with a space
  env -i PATH="$PATH" VECTOR_DANGEROUSLY_ALLOW_ENV_VAR_INTERPOLATION=true \
    S3_BUCKET=logs AWS_REGION=eu-central-1 VECTOR_SELF_POD_NAME=collector-1 VECTOR_SELF_POD_NAMESPACE=logfanout \
    $(cat "${file%.yaml}.env") "$vector" test vector.yaml s3.yaml "$file"
done
