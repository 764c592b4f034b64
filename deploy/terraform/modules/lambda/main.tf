# Where do the workers run, if not on Fargate? As one Lambda function behind the same queue: for regions with little
# traffic, or none for hours. The same image, EXECUTION_MODE=lambda.

data "aws_partition" "current" {}

data "aws_caller_identity" "current" {}

data "aws_region" "current" {}

locals {
  partition  = data.aws_partition.current.partition
  account_id = data.aws_caller_identity.current.account_id
  region     = data.aws_region.current.id

  function_name  = "${var.name}-worker"
  function_arn   = "arn:${local.partition}:lambda:${local.region}:${local.account_id}:function:${local.function_name}"
  log_group_name = "/aws/lambda/${local.function_name}"
  log_group_arn  = "arn:${local.partition}:logs:${local.region}:${local.account_id}:log-group:${local.log_group_name}"
}

# -------------------------------------------------------------------------------------------------------- the worker's role

resource "aws_iam_role" "worker" {
  name        = "${var.name}-worker"
  description = "What the delivering function is"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "TheFunction"
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy_attachment" "worker" {
  role       = aws_iam_role.worker.name
  policy_arn = var.policy_arn
}

resource "aws_iam_role_policy" "log" {
  name = "log"
  role = aws_iam_role.worker.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "WriteTheLog"
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource = "${local.log_group_arn}:*"
    }]
  })
}

# ------------------------------------------------------------------------------------------------------------- the log

resource "aws_kms_key" "log" {
  description             = "${var.name}: the function's own log"
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
        Sid       = "CloudWatchSealsTheLog"
        Effect    = "Allow"
        Principal = { Service = "logs.${local.region}.${data.aws_partition.current.dns_suffix}" }
        Action    = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:DescribeKey"]
        Resource  = "*"
        Condition = { ArnEquals = { "kms:EncryptionContext:aws:logs:arn" = local.log_group_arn } }
      },
    ]
  })
}

resource "aws_kms_alias" "log" {
  name          = "alias/${var.name}-log"
  target_key_id = aws_kms_key.log.key_id
}

resource "aws_cloudwatch_log_group" "worker" {
  #checkov:skip=CKV_AWS_338:The function's log holds no tenant's content and is for finding faults; a year of it would be paid for by nobody
  name              = local.log_group_name
  retention_in_days = var.log_retention_days
  kms_key_id        = aws_kms_key.log.arn
}

# --------------------------------------------------------------------------------------------------------- the function

resource "aws_lambda_function" "worker" {
  #checkov:skip=CKV_AWS_116:What fails goes back to the queue, whose redrive sets it aside; a second dead-letter queue would stay empty
  #checkov:skip=CKV_AWS_117:It calls AWS alone; in a network of its own it would pay for endpoints it does not need
  #checkov:skip=CKV_AWS_272:Lambda does not sign container images; tags are immutable and scanned when pushed
  #checkov:skip=CKV_AWS_173:The variables name queues, tables and roles; no secret is among them
  #checkov:skip=CKV_AWS_115:The event source mapping below bounds how many run, without taking them from others
  #checkov:skip=CKV_AWS_50:Traces would follow messages nobody asks for one by one; the metrics and the log say what fails
  function_name = local.function_name
  description   = "Delivers logs to tenants"
  role          = aws_iam_role.worker.arn
  package_type  = "Image"
  image_uri     = var.image
  architectures = [var.cpu_architecture == "ARM64" ? "arm64" : "x86_64"]
  memory_size   = var.memory_mib
  timeout       = var.timeout_seconds

  environment {
    variables = merge(var.settings, {
      EXECUTION_MODE                    = "lambda"
      SQS_QUEUE_URL                     = var.worker.queue_url
      TENANT_CONFIG_TABLE               = var.worker.tenants_table_name
      CENTRAL_LOG_DISTRIBUTION_ROLE_ARN = var.worker.central_role_arn
      LOGFANOUT_DLQ_URL                 = var.worker.dead_letters_url
      LOGFANOUT_LEDGER_TABLE            = var.worker.ledger_table_name # functions share no memory
      LOGFANOUT_QUARANTINE_URI          = var.worker.quarantine_uri
      LOGFANOUT_VISIBILITY_SECONDS      = tostring(var.worker.visibility_seconds)
      LOGFANOUT_KEY_LAYOUT              = var.key_layout
      LOGFANOUT_HTTP_PORT               = "0"
      LOGFANOUT_LOG_FORMAT              = "json" # the alarms' filters read it
    })
  }

  depends_on = [aws_cloudwatch_log_group.worker, aws_iam_role_policy.log, aws_iam_role_policy_attachment.worker]
}

resource "aws_lambda_event_source_mapping" "notices" {
  event_source_arn        = var.queue_arn
  function_name           = aws_lambda_function.worker.arn
  batch_size              = var.batch_size
  function_response_types = ["ReportBatchItemFailures"] # one message that fails does not bring the others back

  scaling_config {
    maximum_concurrency = var.maximum_concurrency
  }
}
