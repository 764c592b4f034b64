# Who keeps a notice until it is dealt with?
#
#     topic ──► queue ──► a worker
#                 └──► dead letters, when a notice can never be delivered

data "aws_partition" "current" {}

data "aws_caller_identity" "current" {}

data "aws_region" "current" {}

locals {
  partition  = data.aws_partition.current.partition
  account_id = data.aws_caller_identity.current.account_id
  queues_arn = "arn:${local.partition}:sqs:${data.aws_region.current.id}:${local.account_id}"

  # By name, so that the plan shows the whole policy before there is a queue.
  notices_arn      = "${local.queues_arn}:${var.name}-notices"
  dead_letters_arn = "${local.queues_arn}:${var.name}-dead-letters"

  retention_seconds = 14 * 24 * 3600 # the most there is; an outage must not cost logs
}

# ------------------------------------------------------------------------------------------------------------- the key

resource "aws_kms_key" "notices" {
  description             = "${var.name}: notices and dead letters"
  enable_key_rotation     = true
  deletion_window_in_days = var.key_deletion_days

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        # Without it the key could be managed by nobody; who in the account may use it is IAM's to say.
        Sid       = "AccountDecides"
        Effect    = "Allow"
        Principal = { AWS = "arn:${local.partition}:iam::${local.account_id}:root" }
        Action    = "kms:*"
        Resource  = "*"
      },
      {
        Sid       = "TopicSends"
        Effect    = "Allow"
        Principal = { Service = "sns.amazonaws.com" }
        Action    = ["kms:GenerateDataKey", "kms:Decrypt"]
        Resource  = "*"
        Condition = { ArnEquals = { "aws:SourceArn" = var.topic_arn } } # which names its account
      },
    ]
  })
}

resource "aws_kms_alias" "notices" {
  name          = "alias/${var.name}-notices"
  target_key_id = aws_kms_key.notices.key_id
}

# ---------------------------------------------------------------------------------------------------------- the queues
#
# Each with its policy in itself: there is no moment at which the queue is there and the policy is not.

resource "aws_sqs_queue" "notices" {
  name                              = "${var.name}-notices"
  visibility_timeout_seconds        = var.visibility_seconds
  message_retention_seconds         = local.retention_seconds
  receive_wait_time_seconds         = 20
  kms_master_key_id                 = aws_kms_key.notices.arn
  kms_data_key_reuse_period_seconds = 3600 # each reuse saves a call to KMS

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letters.arn
    maxReceiveCount     = var.maximum_receives
  })

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "TopicSends"
        Effect    = "Allow"
        Principal = { Service = "sns.amazonaws.com" }
        Action    = "sqs:SendMessage"
        Resource  = local.notices_arn
        Condition = { ArnEquals = { "aws:SourceArn" = var.topic_arn } } # which names its account
      },
      {
        Sid       = "OverTlsOnly"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sqs:*"
        Resource  = local.notices_arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}

resource "aws_sqs_queue" "dead_letters" {
  name                              = "${var.name}-dead-letters"
  message_retention_seconds         = local.retention_seconds
  kms_master_key_id                 = aws_kms_key.notices.arn
  kms_data_key_reuse_period_seconds = 3600

  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [local.notices_arn]
  })

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "OverTlsOnly"
      Effect    = "Deny"
      Principal = "*"
      Action    = "sqs:*"
      Resource  = local.dead_letters_arn
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })
}

# ---------------------------------------------------------------------------------------------------- the subscription

resource "aws_sns_topic_subscription" "notices" {
  topic_arn            = var.topic_arn
  protocol             = "sqs"
  endpoint             = aws_sqs_queue.notices.arn
  raw_message_delivery = true # S3's event as it is: half the bytes, and no JSON inside JSON
}
