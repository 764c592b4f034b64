mock_provider "aws" {}

variables {
  name = "/platform/acme"
}

run "kept_a_month_and_never_destroyed_with_its_events" {
  command = plan

  assert {
    condition     = aws_cloudwatch_log_group.tenant.retention_in_days == 30 && aws_cloudwatch_log_group.tenant.skip_destroy
    error_message = "Thirty days unless told; terraform destroy leaves the events."
  }
}

run "encrypted_with_the_customers_key" {
  command = plan

  variables {
    kms_key_arn = "arn:aws-cn:kms:cn-north-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab"
  }

  assert {
    condition     = aws_cloudwatch_log_group.tenant.kms_key_id == var.kms_key_arn
    error_message = "The key must reach the group."
  }
}

run "an_alias_is_no_key" {
  command         = plan
  expect_failures = [var.kms_key_arn]

  variables {
    kms_key_arn = "arn:aws:kms:eu-central-1:111111111111:alias/logs"
  }
}

run "a_name_with_a_star" {
  command         = plan
  expect_failures = [var.name]

  variables {
    name = "/platform/*"
  }
}

run "a_retention_that_cloudwatch_does_not_know" {
  command         = plan
  expect_failures = [var.retention_days]

  variables {
    retention_days = 2
  }
}
