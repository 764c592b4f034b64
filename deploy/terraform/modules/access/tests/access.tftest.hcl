mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name              = "logs"
  queue_arn         = "arn:aws:sqs:eu-central-1:999999999999:logs-notices"
  dead_letters_arn  = "arn:aws:sqs:eu-central-1:999999999999:logs-dead-letters"
  queue_key_arn     = "arn:aws:kms:eu-central-1:999999999999:key/aaaaaaaa-1111"
  bucket_arn        = "arn:aws:s3:::logs-999999999999"
  bucket_key_arn    = "arn:aws:kms:eu-central-1:999999999999:key/bbbbbbbb-1111"
  tenants_table_arn = "arn:aws:dynamodb:eu-central-1:999999999999:table/tenant-configurations"
  ledger_table_arn  = "arn:aws:dynamodb:eu-central-1:999999999999:table/logs-ledger"
  tables_key_arn    = "arn:aws:kms:eu-central-1:999999999999:key/cccccccc-1111"
  central_role_arn  = "arn:aws:iam::999999999999:role/CentralLogDistribution"
}

run "nothing_is_granted_at_large" {
  command = apply

  assert {
    condition = alltrue([
      for statement in jsondecode(aws_iam_policy.worker.policy).Statement :
      statement.Effect == "Allow" && alltrue([for action in flatten([statement.Action]) : !strcontains(action, "*")])
    ])
    error_message = "Every action must be named in full."
  }

  assert {
    condition = toset([
      for statement in jsondecode(aws_iam_policy.worker.policy).Statement : statement.Sid
      if anytrue([for resource in flatten([statement.Resource]) : strcontains(resource, "*")])
    ]) == toset(["ReadLogs", "QuarantineRecords"])
    error_message = "Only objects of the bucket may be named by a pattern."
  }

  assert {
    condition = alltrue([
      for statement in jsondecode(aws_iam_policy.worker.policy).Statement : can(statement.Condition.StringEquals["kms:ViaService"])
      if startswith(flatten([statement.Action])[0], "kms:")
    ])
    error_message = "Keys may be used through the service that holds them, and in no other way."
  }
}

run "in_china_both_names_of_a_service_are_known" {
  command = apply

  override_data {
    target = data.aws_partition.current
    values = { partition = "aws-cn", dns_suffix = "amazonaws.com.cn" }
  }

  override_data {
    target = data.aws_region.current
    values = { id = "cn-north-1" }
  }

  assert {
    condition = contains([
      for statement in jsondecode(aws_iam_policy.worker.policy).Statement : try(statement.Condition.StringEquals["kms:ViaService"], [])
    ], ["sqs.cn-north-1.amazonaws.com", "sqs.cn-north-1.amazonaws.com.cn"])
    error_message = "KMS must know SQS by either of its names there."
  }
}

run "wrong_values_are_refused" {
  command = plan

  variables {
    name              = "l"
    queue_arn         = "*"
    dead_letters_arn  = "https://sqs"
    queue_key_arn     = "arn:aws:kms:eu-central-1:999999999999:alias/logs"
    bucket_arn        = "logs"
    bucket_key_arn    = "*"
    tenants_table_arn = "tenant-configurations"
    ledger_table_arn  = "*"
    tables_key_arn    = "*"
    central_role_arn  = "arn:aws:iam::*:role/*"
    quarantine_prefix = ""
  }

  expect_failures = [
    var.name, var.queue_arn, var.dead_letters_arn, var.queue_key_arn, var.bucket_arn, var.bucket_key_arn,
    var.tenants_table_arn, var.ledger_table_arn, var.tables_key_arn, var.central_role_arn, var.quarantine_prefix,
  ]
}
