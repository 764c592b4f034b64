mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name       = "logs"
  image      = "999999999999.dkr.ecr.eu-central-1.amazonaws.com/logfanout:1.0.0"
  policy_arn = "arn:aws:iam::999999999999:policy/logs-worker"
  queue_arn  = "arn:aws:sqs:eu-central-1:999999999999:logs-notices"

  worker = {
    queue_url          = "https://sqs.eu-central-1.amazonaws.com/999999999999/logs-notices"
    dead_letters_url   = "https://sqs.eu-central-1.amazonaws.com/999999999999/logs-dead-letters"
    tenants_table_name = "tenant-configurations"
    ledger_table_name  = "logs-ledger"
    central_role_arn   = "arn:aws:iam::999999999999:role/CentralLogDistribution"
    quarantine_uri     = "s3://logs-999999999999/logfanout-quarantine/"
    visibility_seconds = 900
  }
}

run "one_message_that_fails_does_not_bring_the_others_back" {
  command = apply

  assert {
    condition     = aws_lambda_event_source_mapping.notices.function_response_types == toset(["ReportBatchItemFailures"])
    error_message = "Failures must be reported message by message."
  }

  assert {
    condition     = aws_lambda_event_source_mapping.notices.scaling_config[0].maximum_concurrency == 20
    error_message = "How many functions run must be bounded at the queue."
  }

  assert {
    condition     = aws_lambda_function.worker.timeout * 6 <= var.worker.visibility_seconds
    error_message = "A message must stay hidden for six timeouts."
  }

  assert {
    condition     = aws_lambda_function.worker.package_type == "Image" && aws_lambda_function.worker.architectures == tolist(["arm64"])
    error_message = "The function must be the image, for ARM unless told otherwise."
  }

  assert {
    condition     = aws_lambda_function.worker.environment[0].variables["EXECUTION_MODE"] == "lambda" && aws_lambda_function.worker.environment[0].variables["LOGFANOUT_LEDGER_TABLE"] == "logs-ledger"
    error_message = "The image must be told what it is, and where functions share what they remember."
  }
}

run "a_queue_that_shows_messages_again_too_early_is_refused" {
  command = plan

  variables {
    timeout_seconds = 151
  }

  expect_failures = [var.timeout_seconds]
}

run "wrong_values_are_refused" {
  command = plan

  variables {
    name                = "l"
    image               = "logfanout"
    policy_arn          = "*"
    queue_arn           = "*"
    key_layout          = "x"
    settings            = { AWS_SECRET_ACCESS_KEY = "x" }
    cpu_architecture    = "arm"
    memory_mib          = 128
    timeout_seconds     = 901
    batch_size          = 100
    maximum_concurrency = 1
    log_retention_days  = 2
    key_deletion_days   = 1
    worker = {
      queue_url          = "logs-notices"
      dead_letters_url   = "https://sqs.eu-central-1.amazonaws.com/999999999999/logs-dead-letters"
      tenants_table_name = "tenant-configurations"
      ledger_table_name  = "logs-ledger"
      central_role_arn   = "*"
      quarantine_uri     = "s3://logs-999999999999"
      visibility_seconds = 20
    }
  }

  expect_failures = [
    var.name, var.image, var.policy_arn, var.queue_arn, var.key_layout, var.settings, var.cpu_architecture, var.memory_mib,
    var.batch_size, var.maximum_concurrency, var.log_retention_days, var.key_deletion_days, var.worker,
  ]
}
