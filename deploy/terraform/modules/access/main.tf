# What may a worker do? One policy for every way to run it: a Fargate task, a Lambda function, a consumer of your own.
# Line by line what docs/operating.md asks for, on these resources, and through the service that holds the key.

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  region = data.aws_region.current.id

  # The name KMS sees a service under; in China both forms are in use.
  via = {
    for service in ["s3", "sqs", "dynamodb"] : service => distinct([
      "${service}.${local.region}.amazonaws.com",
      "${service}.${local.region}.${data.aws_partition.current.dns_suffix}",
    ])
  }
}

resource "aws_iam_policy" "worker" {
  name        = "${var.name}-worker"
  description = "What a logfanout worker may do, and nothing else"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      # ------------------------------------------------------------------------------------------------------ notices
      {
        Sid    = "TakeNotices"
        Effect = "Allow"
        Action = [
          "sqs:ReceiveMessage",
          "sqs:DeleteMessage",
          "sqs:ChangeMessageVisibility",
          "sqs:GetQueueAttributes",
        ]
        Resource = var.queue_arn
      },
      {
        # The redrive policy names the queue by ARN; sending needs its URL.
        Sid      = "SetNoticesAside"
        Effect   = "Allow"
        Action   = ["sqs:SendMessage", "sqs:GetQueueUrl"]
        Resource = var.dead_letters_arn
      },
      {
        Sid       = "OpenAndSealNotices"
        Effect    = "Allow"
        Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource  = var.queue_key_arn
        Condition = { StringEquals = { "kms:ViaService" = local.via["sqs"] } }
      },
      # --------------------------------------------------------------------------------------------------------- logs
      {
        Sid      = "ReadLogs"
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:GetObjectVersion"]
        Resource = "${var.bucket_arn}/*"
      },
      {
        # Without it S3 answers 403 instead of 404 for an object that is gone.
        Sid      = "TellGoneFromForbidden"
        Effect   = "Allow"
        Action   = "s3:ListBucket"
        Resource = var.bucket_arn
      },
      {
        Sid      = "QuarantineRecords"
        Effect   = "Allow"
        Action   = "s3:PutObject"
        Resource = "${var.bucket_arn}/${var.quarantine_prefix}*"
      },
      {
        Sid       = "OpenLogsAndSealQuarantine"
        Effect    = "Allow"
        Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource  = var.bucket_key_arn
        Condition = { StringEquals = { "kms:ViaService" = local.via["s3"] } }
      },
      # ------------------------------------------------------------------------------------------------------ tenants
      {
        Sid      = "ReadTenants"
        Effect   = "Allow"
        Action   = ["dynamodb:GetItem", "dynamodb:Query"]
        Resource = var.tenants_table_arn
      },
      {
        Sid      = "RememberDeliveries"
        Effect   = "Allow"
        Action   = ["dynamodb:GetItem", "dynamodb:PutItem"]
        Resource = var.ledger_table_arn
      },
      {
        Sid       = "OpenTables"
        Effect    = "Allow"
        Action    = "kms:Decrypt"
        Resource  = var.tables_key_arn
        Condition = { StringEquals = { "kms:ViaService" = local.via["dynamodb"] } }
      },
      # ------------------------------------------------------------------------------------------------ the first hop
      {
        Sid      = "BecomeTheCentralRole"
        Effect   = "Allow"
        Action   = "sts:AssumeRole"
        Resource = var.central_role_arn
      },
    ]
  })
}
