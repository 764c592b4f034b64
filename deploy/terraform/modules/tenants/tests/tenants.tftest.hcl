mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name = "logs"
}

run "the_tables_are_what_the_worker_reads" {
  command = apply

  assert {
    condition     = aws_dynamodb_table.directory.name == "tenant-configurations" && aws_dynamodb_table.directory.hash_key == "tenant_id" && aws_dynamodb_table.directory.range_key == "type"
    error_message = "The directory must have the worker's default name and keys: tenant_id, type."
  }

  assert {
    condition     = aws_dynamodb_table.ledger.hash_key == "object_id" && aws_dynamodb_table.ledger.range_key == null
    error_message = "The ledger must have the worker's key: object_id."
  }

  assert {
    condition = alltrue([
      for table in [aws_dynamodb_table.directory, aws_dynamodb_table.ledger] :
      table.ttl[0].enabled && table.ttl[0].attribute_name == "ttl" && table.billing_mode == "PAY_PER_REQUEST"
    ])
    error_message = "Rows of both tables must go by their ttl, and reads must never be refused for want of provisioned capacity."
  }

  assert {
    condition     = aws_dynamodb_table.directory.point_in_time_recovery[0].enabled && aws_dynamodb_table.directory.deletion_protection_enabled
    error_message = "The directory must survive a mistake."
  }

  assert {
    condition = alltrue([
      for table in [aws_dynamodb_table.directory, aws_dynamodb_table.ledger] :
      table.server_side_encryption[0].enabled && table.server_side_encryption[0].kms_key_arn == aws_kms_key.tables.arn
    ])
    error_message = "Both tables must be encrypted with the module's key."
  }
}

run "wrong_values_are_refused" {
  command = plan

  variables {
    name              = "-logs"
    table_name        = "no spaces"
    key_deletion_days = 6
  }

  expect_failures = [var.name, var.table_name, var.key_deletion_days]
}
