#!/usr/bin/env bash
# What must stand in AWS before the worker can run? LocalStack runs this once it is ready; deploy/terraform makes the same.
#
#     bucket ──► SNS topic ──► SQS queue (+ its dead letters)     tables of tenants and progress
#     central role ──► a tenant's role and its log group
set -euo pipefail

# AWS_CLI and the region are for those who run this against another lookalike.
read -r -a aws <<<"${AWS_CLI:-awslocal}"
export AWS_DEFAULT_REGION=${AWS_DEFAULT_REGION:-us-east-1} AWS_PAGER=""
account=$("${aws[@]}" sts get-caller-identity --query Account --output text)
at=$AWS_DEFAULT_REGION:$account

policy() { # who, what, on, for whom
    printf '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":%s,"Action":"%s","Resource":"%s","Condition":{"ArnEquals":{"aws:SourceArn":"%s"}}}]}' "$@"
}
trust() { # whom, under which condition
    printf '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"%s"},"Action":"sts:AssumeRole","Condition":%s}]}' "$1" "$2"
}

# ── The way in ─────────────────────────────────────────────────────────────────────────────────────────────────────────
"${aws[@]}" s3api create-bucket --bucket platform-logs
"${aws[@]}" sns create-topic --name log-notices
"${aws[@]}" sns set-topic-attributes --topic-arn "arn:aws:sns:$at:log-notices" --attribute-name Policy --attribute-value \
    "$(policy '{"Service":"s3.amazonaws.com"}' sns:Publish "arn:aws:sns:$at:log-notices" arn:aws:s3:::platform-logs)"

# ── Who gets what ──────────────────────────────────────────────────────────────────────────────────────────────────────
"${aws[@]}" dynamodb create-table --table-name tenant-configurations --billing-mode PAY_PER_REQUEST \
    --attribute-definitions AttributeName=tenant_id,AttributeType=S AttributeName=type,AttributeType=S \
    --key-schema AttributeName=tenant_id,KeyType=HASH AttributeName=type,KeyType=RANGE
"${aws[@]}" dynamodb create-table --table-name logfanout-ledger --billing-mode PAY_PER_REQUEST \
    --attribute-definitions AttributeName=object_id,AttributeType=S --key-schema AttributeName=object_id,KeyType=HASH
"${aws[@]}" iam create-role --role-name central-log-distribution \
    --assume-role-policy-document "$(trust "arn:aws:iam::$account:root" '{}')"
"${aws[@]}" iam put-role-policy --role-name central-log-distribution --policy-name assume-customers-roles --policy-document \
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sts:AssumeRole","sts:TagSession"],"Resource":"arn:aws:iam::*:role/CustomerLogDistribution-*"}]}'

# A tenant in the same account; deploy/customer makes the same in another.
"${aws[@]}" iam create-role --role-name CustomerLogDistribution-acme --assume-role-policy-document \
    "$(trust "arn:aws:iam::$account:role/central-log-distribution" '{"StringEquals":{"sts:ExternalId":"acme-4f1c"}}')"
group=arn:aws:logs:$at:log-group:/platform/acme
"${aws[@]}" iam put-role-policy --role-name CustomerLogDistribution-acme --policy-name write-to-one-log-group --policy-document \
    "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":[\"logs:PutLogEvents\",\"logs:CreateLogStream\"],\"Resource\":[\"$group\",\"$group:*\"]}]}"
"${aws[@]}" logs create-log-group --log-group-name /platform/acme
"${aws[@]}" logs put-retention-policy --log-group-name /platform/acme --retention-in-days 30
"${aws[@]}" dynamodb put-item --table-name tenant-configurations --item \
    "{\"tenant_id\":{\"S\":\"acme\"},\"type\":{\"S\":\"cloudwatch\"},\"enabled\":{\"BOOL\":true},\"log_distribution_role_arn\":{\"S\":\"arn:aws:iam::$account:role/CustomerLogDistribution-acme\"},\"log_group_name\":{\"S\":\"/platform/acme\"},\"external_id\":{\"S\":\"acme-4f1c\"}}"

# ── The queue comes last: the worker waits for it ──────────────────────────────────────────────────────────────────────
"${aws[@]}" sqs create-queue --queue-name log-notices-dlq
attributes=$(python3 -c 'import json, sys; print(json.dumps({"VisibilityTimeout": "120", "Policy": sys.argv[1], "RedrivePolicy": json.dumps({"deadLetterTargetArn": sys.argv[2], "maxReceiveCount": 20})}))' \
    "$(policy '{"Service":"sns.amazonaws.com"}' sqs:SendMessage "arn:aws:sqs:$at:log-notices" "arn:aws:sns:$at:log-notices")" "arn:aws:sqs:$at:log-notices-dlq")
"${aws[@]}" sqs create-queue --queue-name log-notices --attributes "$attributes"
"${aws[@]}" sns subscribe --topic-arn "arn:aws:sns:$at:log-notices" --protocol sqs --notification-endpoint "arn:aws:sqs:$at:log-notices"
"${aws[@]}" s3api put-bucket-notification-configuration --bucket platform-logs --notification-configuration \
    "{\"TopicConfigurations\":[{\"TopicArn\":\"arn:aws:sns:$at:log-notices\",\"Events\":[\"s3:ObjectCreated:*\"]}]}"
