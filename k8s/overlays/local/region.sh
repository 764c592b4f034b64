#!/bin/sh
# A region in small: the bucket tells the queue, and what nobody can deliver goes to a second one.
set -eu

queue_arn() {
  awslocal sqs get-queue-attributes --queue-url "$1" --attribute-names QueueArn --query Attributes.QueueArn --output text
}

dead_letters=$(awslocal sqs create-queue --queue-name log-notices-dead --query QueueUrl --output text)
redrive=$(printf '{"deadLetterTargetArn":"%s","maxReceiveCount":"20"}' "$(queue_arn "$dead_letters")")
notices=$(awslocal sqs create-queue --queue-name log-notices --query QueueUrl --output text)
awslocal sqs set-queue-attributes --queue-url "$notices" \
  --attributes "$(printf '{"VisibilityTimeout":"120","RedrivePolicy":"%s"}' "$(printf '%s' "$redrive" | sed 's/"/\\"/g')")"

awslocal s3api create-bucket --bucket logs
awslocal s3api put-bucket-notification-configuration --bucket logs --notification-configuration \
  "$(printf '{"QueueConfigurations":[{"QueueArn":"%s","Events":["s3:ObjectCreated:*"]}]}' "$(queue_arn "$notices")")"
